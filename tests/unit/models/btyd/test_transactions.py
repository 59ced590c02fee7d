"""The summary: repeat purchase days in the shop's zone, spend without the first day, the unit carried along."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pandas as pd
import pytest

from retentioncast.core.errors import NotEnoughData
from retentioncast.models import summary_from_transactions
from tests.unit.models.cdnow import read_calibration


def _log(*rows: tuple[object, object, object]) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=["customer_id", "occurred_at", "amount"])


def test_a_day_is_one_purchase_and_the_first_days_spend_is_left_out() -> None:
    log = _log(
        (1, "2026-01-01T09:00Z", 10), (1, "2026-01-01T18:00Z", 5), (1, "2026-01-08T09:00Z", 20),
        (1, "2026-01-08T10:00Z", 4), (1, "2026-01-15T09:00Z", 30), (2, "2026-01-20T09:00Z", 7),
    )  # fmt: skip
    summary = summary_from_transactions(log, observed_until=datetime(2026, 1, 29, 12, tzinfo=UTC))
    assert list(summary.loc[1]) == [2.0, 2.0, 4.0, 27.0]
    assert list(summary.loc[2]) == [0.0, 0.0, pytest.approx(9 / 7), 0.0]
    assert summary.attrs["time_unit"] == "week" and summary.index.name == "customer_id"


def test_the_zone_says_what_a_day_is() -> None:
    log = _log((1, "2026-01-01T22:30Z", 10), (1, "2026-01-01T23:30Z", 5))
    assert summary_from_transactions(log)["frequency"].tolist() == [0]
    assert summary_from_transactions(log, zone="Europe/Berlin")["frequency"].tolist() == [1]


def test_a_day_of_23_hours_is_a_day() -> None:
    log = _log((1, "2026-03-28T12:00Z", 10), (1, "2026-03-30T11:00Z", 5))
    summary = summary_from_transactions(log, zone="Europe/Berlin", time_unit="day")
    assert summary["recency"].tolist() == [2.0] and summary["T"].tolist() == [2.0]


def test_purchases_after_the_end_do_not_exist_yet() -> None:
    log = _log((1, "2026-01-01", 10), (1, "2026-01-09", 5), (2, "2026-02-01", 5))
    summary = summary_from_transactions(log, observed_until=pd.Timestamp("2026-01-05").to_pydatetime())
    assert summary.index.tolist() == [1] and summary["frequency"].tolist() == [0]


def test_money_may_be_decimal() -> None:
    log = _log((1, "2026-01-01", Decimal("10.10")), (1, "2026-01-09", Decimal("0.10")))
    assert summary_from_transactions(log)["monetary_value"].tolist() == [0.1]


def test_cdnow_is_the_summary_that_everybody_knows() -> None:
    summary = read_calibration()
    assert len(summary) == 2357 and (summary["frequency"] > 0).sum() == 946
    assert list(summary.loc[1]) == pytest.approx([2.0, 213 / 7, 272 / 7, 22.345])


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([(1, "2026-01-01", 10), (1, "soon", 5)], "'occurred_at', row 1: 'soon' is not a time"),
        ([(1, "2026-01-01", 10), (1, "2026-01-02", "much")], "'amount', row 1: 'much' is not a finite number"),
        ([(1, "2026-01-01", 10), (None, "2026-01-02", 1)], "'customer_id', row 1: nan names no customer"),
    ],
)
def test_a_bad_row_is_named(rows: list[tuple[object, object, object]], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        summary_from_transactions(_log(*rows))


def test_an_empty_log_is_not_summarised() -> None:
    with pytest.raises(NotEnoughData):
        summary_from_transactions(_log())
    with pytest.raises(ValueError, match="'amount', row None: None is missing"):
        summary_from_transactions(_log((1, "2026-01-01", 1)).drop(columns="amount"))
