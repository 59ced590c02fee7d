"""A log of purchase days, and what it tells of every customer up to any day of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from retentioncast.models.arrays import Floats, Integers
from retentioncast.models.btyd.grouping import Groups, group_rows
from retentioncast.models.btyd.time_unit import DAYS_PER_UNIT

_DAYS_PER_WEEK = DAYS_PER_UNIT["week"]


@dataclass(frozen=True)
class Cut:
    """What was known of m customers at the end of `day`, and how often each bought in the days after.

    `frequency`, `recency`, `T` (weeks) and `spend` (mean of a repeat purchase day, 0 where there is none) are (m,);
    `happened` maps a horizon in days to purchase days in (day, day + horizon], `before` to repeat ones in
    (day - horizon, day].
    """

    day: int
    customer: Integers
    frequency: Floats
    recency: Floats
    T: Floats
    spend: Floats
    happened: dict[int, Floats]
    before: dict[int, Floats]

    @cached_property
    def groups(self) -> Groups:
        """Distinct (frequency, recency, T), on which predictions are made once."""
        return group_rows((self.frequency, self.recency, self.T))

    @property
    def size(self) -> int:
        return int(self.customer.size)


class PurchaseDays:
    """One row a customer and day with a purchase: customer ids, whole days (any origin), amounts, each (n,).

    Sorted by customer and day; the caller has put the purchases of a day together.
    """

    def __init__(self, frame: pd.DataFrame) -> None:
        """From a frame with customer_id, day (whole number) and amount, in any order."""
        order = np.lexsort((frame["day"].to_numpy(), frame["customer_id"].to_numpy()))
        self._ids, start = np.unique(frame["customer_id"].to_numpy()[order], return_index=True)
        self._start = start
        self._day = frame["day"].to_numpy(dtype=np.int64)[order]
        self._amount = frame["amount"].to_numpy(dtype=np.float64)[order]
        self._first = self._day[start] if start.size else np.empty(0, dtype=np.int64)

    @property
    def n_customers(self) -> int:
        return int(self._ids.size)

    @property
    def first_day(self) -> int:
        """The earliest purchase day."""
        return int(self._first.min())

    def cut(self, day: int, horizons_days: tuple[int, ...]) -> Cut:
        """What was known at the end of `day` of those who had bought, and what came in each horizon after it."""
        known = self._first <= day
        until = self._day <= day
        orders = self._per_customer(until)
        latest = np.maximum.reduceat(np.where(until, self._day, self._first.min() - 1), self._start)
        repeat = until & (self._day > np.repeat(self._first, np.diff([*self._start, self._day.size])))
        spent = self._per_customer(np.where(repeat, self._amount, 0.0))
        frequency = orders - 1.0
        return Cut(
            day,
            self._ids[known],
            frequency[known],
            ((latest - self._first) / _DAYS_PER_WEEK)[known],
            ((day - self._first) / _DAYS_PER_WEEK)[known],
            (spent / np.maximum(frequency, 1.0))[known],
            {h: self._per_customer((self._day > day) & (self._day <= day + h))[known] for h in horizons_days},
            {h: self._per_customer(repeat & (self._day > day - h))[known] for h in horizons_days},
        )

    def _per_customer(self, values: Floats | np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Floats:
        return np.add.reduceat(values.astype(np.float64), self._start)
