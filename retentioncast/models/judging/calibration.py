"""Calibration: of those told 30 percent, did 30 percent? By tenths of the predictions, with binomial intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import betaincinv
from scipy.stats import rankdata

from retentioncast.models.arrays import Floats, Integers

BINS = 10


@dataclass(frozen=True, slots=True)
class CalibrationBin:
    """Predictions of one tenth: how many, their mean, how many came true, and an interval for that share."""

    decile: int
    n: int
    mean_predicted: float
    happened: int
    low: float
    high: float

    @property
    def share(self) -> float:
        return self.happened / self.n


def deciles(predicted: Floats, bins: int = BINS) -> Integers:
    """The tenth (0 to 9) of each prediction by its rank; equal predictions stay together, so tenths can be empty."""
    middle = (rankdata(predicted, method="average") - 0.5) / max(predicted.size, 1)
    return np.asarray(np.minimum((middle * bins).astype(np.int64), bins - 1))


def calibration_table(predicted: Floats, outcome: Floats, bins: int = BINS) -> list[CalibrationBin]:
    """A row for each tenth of predictions (n,) that holds any, none where any is NaN; outcomes (n,) are 1 or 0."""
    if np.isnan(predicted).any():
        return []
    place = deciles(predicted, bins)
    n = np.bincount(place, minlength=bins)
    total = np.bincount(place, weights=predicted, minlength=bins)
    came = np.bincount(place, weights=outcome, minlength=bins).astype(np.int64)
    rows = []
    for i in np.flatnonzero(n):
        low, high = binomial_interval(int(came[i]), int(n[i]))
        rows.append(CalibrationBin(int(i) + 1, int(n[i]), float(total[i] / n[i]), int(came[i]), low, high))
    return rows


def calibration_error(predicted: Floats, outcome: Floats, bins: int = BINS) -> float:
    """`table_error` of predictions (n,) and outcomes (n,)."""
    return table_error(calibration_table(predicted, outcome, bins))


def table_error(table: Sequence[CalibrationBin]) -> float:
    """Mean over tenths, weighted by their size, of |mean predicted - share that came true|. NaN of no tenth."""
    n = sum(row.n for row in table)
    return sum(row.n * abs(row.mean_predicted - row.share) for row in table) / n if n else float("nan")


def binomial_interval(happened: int, n: int, inside: float = 0.95) -> tuple[float, float]:
    """Clopper and Pearson's interval (1934) of a share: it holds at least as often as it says."""
    tail = (1 - inside) / 2
    low = float(betaincinv(happened, n - happened + 1, tail)) if happened else 0.0
    high = float(betaincinv(happened + 1, n - happened, 1 - tail)) if happened < n else 1.0
    return low, high
