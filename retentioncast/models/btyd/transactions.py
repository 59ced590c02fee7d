"""Makes the summary that models are fitted to out of a log of transactions, in lifetimes' shape."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pandas as pd

from retentioncast.core.errors import NotEnoughData
from retentioncast.models.btyd.time_unit import DAYS_PER_UNIT, TimeUnit
from retentioncast.models.columns import InvalidColumn


def summary_from_transactions(
    transactions: pd.DataFrame,
    *,
    customer: str = "customer_id",
    time: str = "occurred_at",
    amount: str = "amount",
    observed_until: datetime | None = None,
    zone: str = "UTC",
    time_unit: TimeUnit = "week",
) -> pd.DataFrame:
    """One row a customer: `frequency` (repeat purchase days), `recency`, `T` (in time_unit), `monetary_value`.

    Purchases of one day in `zone` are one purchase of their sum; `monetary_value` is the mean of the days after the
    first, 0 where there are none. Times are whole days from the first purchase day to the latest (recency) and to
    the day of `observed_until` (T; the latest day seen unless told); later rows are left out. Naive times are taken
    as being in `zone`. Rows are sorted by customer; the unit stands in `attrs["time_unit"]`.
    Refunds are the caller's: pass orders, each net of what was given back.
    Raises InvalidColumn (a ValueError) for a missing column, a missing or unreadable time, an amount not finite,
    and NotEnoughData for an empty log.
    """
    rows = _read_rows(transactions, customer, time, amount)
    if rows.empty:
        raise NotEnoughData("there is no transaction to summarise.", "Wait for the first purchases.")
    rows["day"] = _days(rows["day"], zone)
    last_day = rows["day"].max() if observed_until is None else _day_of(observed_until, zone)
    rows = rows[rows["day"] <= last_day]
    per_day = rows.groupby(["customer", "day"], sort=True, observed=True)["amount"].sum().reset_index()
    summary = _summarise(per_day, last_day, DAYS_PER_UNIT[time_unit])
    summary.index.name = customer
    summary.attrs["time_unit"] = time_unit
    return summary


def _read_rows(transactions: pd.DataFrame, customer: str, time: str, amount: str) -> pd.DataFrame:
    for name in (customer, time, amount):
        if name not in transactions.columns:
            raise InvalidColumn(name, None, None, f"is missing; the frame has {list(transactions.columns)}")
    money = pd.to_numeric(transactions[amount], errors="coerce").astype(np.float64)
    _refuse(amount, transactions[amount], ~money.abs().lt(np.inf), "is not a finite number")
    when = pd.to_datetime(transactions[time], errors="coerce")
    _refuse(time, transactions[time], when.isna(), "is not a time")
    _refuse(customer, transactions[customer], transactions[customer].isna(), "names no customer")
    return pd.DataFrame({"customer": transactions[customer], "day": when, "amount": money})


def _refuse(name: str, column: pd.Series, bad: pd.Series, reason: str) -> None:
    if bad.any():
        position = int(bad.to_numpy().argmax())
        raise InvalidColumn(name, column.index[position], column.iloc[position], reason)


def _days(times: pd.Series, zone: str) -> pd.Series:
    """The day of each time in the zone, as midnight without a zone: differences are whole days, also at DST."""
    if times.dt.tz is not None:
        times = times.dt.tz_convert(zone).dt.tz_localize(None)
    return pd.Series(times.dt.normalize())


def _day_of(moment: datetime, zone: str) -> pd.Timestamp:
    stamp = pd.Timestamp(moment)
    if stamp.tzinfo is not None:
        stamp = stamp.tz_convert(zone).tz_localize(None)
    return stamp.normalize()


def _summarise(per_day: pd.DataFrame, last_day: pd.Timestamp, days_per_unit: float) -> pd.DataFrame:
    by_customer = per_day.groupby("customer", sort=True, observed=True)
    first, latest = by_customer["day"].min(), by_customer["day"].max()
    frequency = by_customer.size() - 1
    later = per_day[by_customer.cumcount() > 0]
    mean_later = later.groupby("customer", observed=True)["amount"].mean().reindex(frequency.index, fill_value=0.0)
    return pd.DataFrame(
        {
            "frequency": frequency.astype(np.int64),
            "recency": (latest - first).dt.days / days_per_unit,
            "T": (last_day - first).dt.days / days_per_unit,
            "monetary_value": mean_later,
        }
    )
