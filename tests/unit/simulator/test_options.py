"""A bad option is refused before anything is written, with its name, its value and what is allowed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from retentioncast.core.errors import InvalidInput
from simulator.bootstrap import agree, wanted_customers
from simulator.options import Options, parse_duration, parse_history, parse_start

NOW = datetime(2026, 8, 31, 12, tzinfo=UTC)


def options(**changed: Any) -> Options:
    given: dict[str, Any] = {
        "customers": 100, "history": "18mo", "load": "normal", "rate": None, "speed": None, "seed": 1,
        "start": None, "duration_s": None, "only_history": False, "live_only": False,
    }  # fmt: skip
    return Options(**given | changed)


@pytest.mark.parametrize(
    ("name", "value", "option"),
    [
        ("customers", 0, "--customers"),
        ("history", "18", "--history"),
        ("history", "0d", "--history"),
        ("history", "99y", "--history"),
        ("load", "heavy", "--load"),
        ("rate", 0.0, "--rate"),
        ("rate", float("nan"), "--rate"),
        ("speed", -1.0, "--speed"),
        ("seed", -1, "--seed"),
    ],
)
def test_a_value_out_of_range_is_refused(name: str, value: object, option: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        options(**{name: value})
    assert option in refused.value.message and repr(value) in refused.value.message
    assert "allowed" in refused.value.message and refused.value.next_step


def test_only_history_and_live_only_exclude_each_other() -> None:
    with pytest.raises(InvalidInput, match="--only-history"):
        options(only_history=True, live_only=True)


@pytest.mark.parametrize("text", ["ten", "10", "0s", "-5m", "1w"])
def test_a_duration_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="--duration"):
        parse_duration(text)


@pytest.mark.parametrize("text", ["yesterday", "2026-13-01", "0001-01-01"])
def test_a_start_that_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="--start"):
        parse_start(text)


def test_durations_and_starts_are_read() -> None:
    assert [parse_duration(text) for text in ("30s", "1.5m", "2h", None)] == [30, 90, 7200, None]
    assert parse_start("2026-08-31T14:00:00+02:00") == NOW
    assert parse_start("2026-08-31") == datetime(2026, 8, 31, tzinfo=UTC)


@pytest.mark.parametrize(("text", "days"), [("90d", 90), ("2w", 14), ("6mo", 184), ("1y", 365)])
def test_the_past_is_a_number_of_whole_days_back_from_now(text: str, days: int) -> None:
    assert parse_history(text, NOW).days == days


def test_the_past_ends_exactly_now() -> None:
    terms = agree(options(history="90d"), NOW)
    assert terms.start_of(terms.history_ticks) == terms.history_until
    assert agree(options(live_only=True), NOW).history_ticks == 0


def test_a_large_shop_has_shorter_ticks_and_the_past_still_ends_now() -> None:
    terms = agree(options(customers=500_000), NOW)
    assert terms.tick == 3600 * 1_000_000
    assert terms.start_of(terms.history_ticks) == terms.history_until


def test_a_rate_that_no_shop_could_reach_at_this_speed_is_refused_with_a_speed_that_works() -> None:
    with pytest.raises(InvalidInput, match="needs") as refused:
        wanted_customers(options(rate=1000.0, speed=1.0))
    assert "--speed of at least" in refused.value.next_step
    assert wanted_customers(options(rate=100.0, speed=86400.0)) is not None
