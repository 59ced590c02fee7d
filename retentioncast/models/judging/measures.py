"""How good predictions turned out: of whether a customer buys, and of how often."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import xlogy

from retentioncast.models.arrays import Floats
from retentioncast.models.judging.calibration import CalibrationBin, calibration_table, table_error

#: Nobody is sure: a probability of 0 for what happened costs 20.7 nats, not infinity.
_LEAST = 1e-9


@dataclass(frozen=True, slots=True)
class Measures:
    """Measures over n predictions. NaN: the contender does not say.

    `log_score` (mean log probability of what happened; higher is better), `brier` and `calibration_error` (weighted
    mean over deciles) are of P(no purchase); `rmse`, `bias` (predicted over happened less 1) and `deviance` (Poisson,
    a customer) of the number of purchase days. `deciles` are the tenths behind the calibration error.
    """

    n: int
    log_score: float
    brier: float
    calibration_error: float
    rmse: float
    bias: float
    deviance: float
    deciles: tuple[CalibrationBin, ...]


def measure(no_purchase: Floats, expected: Floats, happened: Floats) -> Measures:
    """All measures of predictions (n,) against purchase days (n,)."""
    none = (happened == 0).astype(np.float64)
    tenths = tuple(calibration_table(no_purchase, none))
    return Measures(
        happened.size,
        float(log_scores(no_purchase, none).mean()),
        float(np.mean((no_purchase - none) ** 2)),
        table_error(tenths),
        float(np.sqrt(np.mean((expected - happened) ** 2))),
        float(expected.sum() / happened.sum() - 1) if happened.sum() else float("nan"),
        float(deviances(expected, happened).mean()),
        tenths,
    )


def log_scores(probability: Floats, outcome: Floats) -> Floats:
    """Log probability of each outcome (1 or 0), (n,)."""
    p = np.clip(probability, _LEAST, 1 - _LEAST)
    return np.asarray(np.log(np.where(outcome > 0, p, 1 - p)))


def deviances(expected: Floats, happened: Floats) -> Floats:
    """Poisson deviance of each count: 2 (n log(n / E) - n + E). An expectation of 0 counts as 1e-9."""
    mean = np.maximum(expected, _LEAST)
    return np.asarray(2 * (xlogy(happened, happened / mean) - happened + mean))
