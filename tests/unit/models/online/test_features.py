"""The features: bounded whatever comes, and known at the moment."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retentioncast.models.online.config import DAY_S
from retentioncast.models.online.customer import Customer
from retentioncast.models.online.features import NAMES, extract, plan_bucket
from tests.unit.models.online.streams import START

_GAPS = st.lists(st.tuples(st.floats(1.0, 1e9), st.floats(allow_nan=True), st.integers(-5, 10**9)), max_size=30)


@given(_GAPS, st.floats(0.0, 1e10))
def test_features_are_bounded_whatever_the_customer_did(steps: list[tuple[float, float, int]], later: float) -> None:
    customer, at = Customer(), START
    for gap, amount, pages in steps:
        at += gap
        customer.place_order(at, amount)
        customer.start_session(at, pages)
    values = extract(customer, at + later)
    assert len(values) == len(NAMES)
    assert all(0.0 <= value <= 4.0 for value in values)


def test_sessions_fade_with_time() -> None:
    customer = Customer()
    customer.start_session(START, 5)
    at_once = dict(zip(NAMES, extract(customer, START), strict=True))
    later = dict(zip(NAMES, extract(customer, START + 20 * DAY_S), strict=True))
    assert later["sessions_7"] < later["sessions_30"] * 1.5 < at_once["sessions_7"]
    assert later["session_gap"] > at_once["session_gap"] == 0.0


def test_the_counters_of_sessions_decay_with_seven_and_thirty_days() -> None:
    customer = Customer()
    customer.start_session(START, 5)
    customer.start_session(START + 7 * DAY_S, 5)
    assert customer.sessions_7 == pytest.approx(1.0 + math.exp(-1.0))
    assert customer.sessions_30 == pytest.approx(1.0 + math.exp(-7.0 / 30.0))


def test_a_plan_has_the_same_place_in_every_process() -> None:
    assert [plan_bucket(plan, 8) for plan in ("gold", "basic", None)] == [1, 3, -1]
