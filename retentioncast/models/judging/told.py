"""What a contender told of the customers at an origin, and what came: the rows that all judging is made of."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from retentioncast.models.arrays import Floats, Integers
from retentioncast.models.judging.measures import log_scores


@dataclass(frozen=True, slots=True)
class Told:
    """P(no purchase) and expected purchase days of m customers within a horizon; NaN where a contender does not say."""

    no_purchase: Floats
    expected: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """m customers from the end of day `origin` on for `horizon_days`: what came, and what each contender told before.

    `happened` (m,) counts purchase days; `told` is by contender.
    """

    origin: int
    horizon_days: int
    customer: Integers
    happened: Floats
    told: dict[str, Told] = field(default_factory=dict)

    @property
    def none(self) -> Floats:
        """1 for each customer who bought nothing, else 0."""
        return np.asarray(self.happened == 0, dtype=np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """All windows in one: an entry a prediction (n,), by origin and customer, with P(no purchase) of k contenders."""

    origin: Integers
    customer: Integers
    none: Floats
    no_purchase: Floats

    @property
    def log_scores(self) -> Floats:
        """(n, k)."""
        return np.column_stack([log_scores(column, self.none) for column in self.no_purchase.T])


def stack_rows(windows: list[Window], contenders: list[str]) -> Rows:
    """Predictions of these contenders in all windows, one below the other."""
    return Rows(
        np.concatenate([np.full(window.customer.size, window.origin) for window in windows]),
        np.concatenate([window.customer for window in windows]),
        np.concatenate([window.none for window in windows]),
        np.concatenate([np.column_stack([window.told[name].no_purchase for name in contenders]) for window in windows]),
    )
