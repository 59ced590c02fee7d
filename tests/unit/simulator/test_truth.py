"""The history tells the truth: rates, spend, lifetimes and the rhythm can be found again in what was written."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import datetime

import numpy as np
import pytest

from simulator.pace import FloodPace
from simulator.rhythm import DAY, activity, add_months, campaign, to_datetime, to_micros, when
from tests.unit.simulator.memory import NOW, MemoryShop, played, terms


@pytest.fixture(scope="module")
def shop() -> MemoryShop:
    return played(MemoryShop(terms(customers=1500, days=365)), FloodPace(), 365)


def days_alive(shop: MemoryShop, customer: int) -> float:
    truth, end = shop.truth[customer], shop.terms.start_of(shop.tick)
    return (min(truth.died_at, end) - truth.created_at) / DAY


def test_orders_follow_each_customers_true_rate(shop: MemoryShop) -> None:
    orders = Counter(
        row[1] for row in shop.tables["transaction"].values()
        if row[3] == "purchase" and row[2] is None and row[8] != "TEST"
    )  # fmt: skip
    plain = [c for c in shop.tables["customer"] if c not in shop.owners.values()]
    expected = np.array([shop.truth[c].purchase_rate * days_alive(shop, c) for c in plain])
    seen = np.array([orders[c] for c in plain]) - 0.93  # the order at sign-up, most of the time
    assert seen.sum() == pytest.approx(expected.sum(), rel=0.05)
    busy = expected > np.quantile(expected, 0.9)
    assert seen[busy].sum() == pytest.approx(expected[busy].sum(), rel=0.06)


def test_sessions_follow_each_customers_true_rate(shop: MemoryShop) -> None:
    expected = sum(shop.truth[c].session_rate * days_alive(shop, c) for c in shop.truth)
    assert len(shop.tables["session"]) == pytest.approx(expected, rel=0.02)


def test_spend_follows_each_customers_true_mean(shop: MemoryShop) -> None:
    spent: dict[int, list[float]] = defaultdict(list)
    for row in shop.tables["transaction"].values():
        if row[3] == "purchase" and row[2] is None and row[8] is None:
            spent[row[1]].append(float(row[4]))
    ratios = [np.mean(each) / shop.truth[c].mean_spend for c, each in spent.items() if len(each) >= 8]
    assert len(ratios) > 100
    assert np.mean(ratios) == pytest.approx(1, abs=0.04)


def test_nobody_buys_before_sign_up_or_after_the_end(shop: MemoryShop) -> None:
    for row in shop.tables["session"].values():
        truth = shop.truth[row[1]]
        if row[1] not in shop.owners.values():
            assert truth.created_at <= to_micros(datetime.fromisoformat(row[2])) < truth.died_at


def test_subscriptions_end_when_the_truth_says(shop: MemoryShop) -> None:
    cancelled = [row for row in shop.tables["subscription"].values() if row[7] is not None]
    assert len(cancelled) > 50
    for row in cancelled:
        truth = shop.truth[row[1]]
        if row[1] not in shop.owners.values():
            assert to_micros(datetime.fromisoformat(row[7])) == truth.subscription_ends_at
            assert row[8] == truth.cancel_reason


def test_forgetful_subscribers_outlive_their_activity(shop: MemoryShop) -> None:
    forgot = [t for t in shop.truth.values() if t.segment == "forgot_to_cancel" and t.subscription_ends_at]
    later = [(t.subscription_ends_at or 0) > t.died_at for t in forgot]
    assert len(later) > 50 and np.mean(later) > 0.7


def test_monthly_renewals_come_a_calendar_month_apart() -> None:
    anchor = to_micros(datetime.fromisoformat("2026-01-31T08:00:00+00:00"))
    days = [to_datetime(add_months(anchor, n)).strftime("%m-%d") for n in (1, 2, 3, 13)]
    assert days == ["02-28", "03-31", "04-30", "02-28"]


def test_nights_are_quiet_and_weekends_busy(shop: MemoryShop) -> None:
    times = [datetime.fromisoformat(row[2]) for row in shop.tables["session"].values()]
    night = sum(at.hour in (2, 3, 4) for at in times) / 3
    evening = sum(at.hour in (18, 19, 20) for at in times) / 3
    saturday, tuesday = (sum(at.weekday() == day for at in times) for day in (5, 1))
    assert night < evening / 8
    assert saturday > 1.25 * tuesday


def test_shop_activity_keeps_time_over_the_week_and_can_be_inverted() -> None:
    at = to_micros(NOW) + np.arange(0, 30 * DAY, 777_777_777)
    assert np.abs(when(activity(at)) - at).max() < 5
    assert activity(at + 7 * DAY) - activity(at) == pytest.approx(7 * DAY)


def test_campaigns_run_four_days_in_thirty_five() -> None:
    days = [campaign(day * DAY) is not None for day in range(3500)]
    assert sum(days) == 400
