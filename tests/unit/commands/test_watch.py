"""A change on one line, for the eye."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from rich.text import Text

from retentioncast.commands.watch import readable, shown
from retentioncast.core.passing import PassingChange

ROW = {
    "transaction_id": 7,
    "customer_id": 1,
    "amount": "19.90",
    "occurred_at": "2024-01-03T10:00:00.500000Z",
    "note": None,
}
INSERT = PassingChange(datetime(2026, 1, 1, 12, 0, 0, 46_000, UTC), "transactions", "insert", 7, 1, None, ROW)


def line(change: PassingChange, name: str | None = "Ann [x]") -> str:
    return Text.from_markup(readable(change, name)).plain


def test_an_insert_shows_time_who_and_values() -> None:
    assert line(INSERT) == (
        "12:00:00.046  insert   transactions 7  customer 1 Ann [x]  amount 19.90, occurred_at 2024-01-03 10:00:00.5"
    )


def test_an_update_shows_before_and_after_of_what_changed() -> None:
    change = replace(INSERT, word="update", before={**ROW, "amount": "9.00", "note": "gift"})
    assert line(change).endswith("customer 1 Ann [x]  amount 9.00 → 19.90, note gift → (none)")


def test_an_update_without_a_known_before_says_what_is_now() -> None:
    assert "now: amount 19.90" in line(replace(INSERT, word="update"))


def test_a_deletion_says_what_was_or_that_it_is_unknown() -> None:
    gone = replace(INSERT, word="delete", after=None)
    assert line(replace(gone, before=ROW)).endswith("was: amount 19.90, occurred_at 2024-01-03 10:00:00.5")
    assert line(gone).endswith("(what it was is not known)")


def test_a_truncate_names_the_table_only() -> None:
    everything = replace(INSERT, word="truncate", key=None, customer_id=None, after=None)
    assert line(everything, None) == "12:00:00.046  truncate transactions  every row is gone"


@pytest.mark.parametrize(
    ("value", "text"),
    [("2024-01-03T10:00:00.000000Z", "2024-01-03 10:00:00"), ("2024-01-03T10:00:30Z", "2024-01-03 10:00:30"), (5, "5")],
)
def test_values_are_shown_without_ballast(value: object, text: str) -> None:
    assert shown(value) == text
