"""What becomes of cohorts after the last renewal that all their members have faced: mean and predictive interval."""

from __future__ import annotations

import numpy as np
import pandas as pd

from retentioncast.core.errors import InvalidInput
from retentioncast.models.arrays import Floats, Integers
from retentioncast.models.columns import InvalidColumn
from retentioncast.models.subscription.shifted_beta_geometric import ShiftedBetaGeometric

#: The columns that tell where each cohort stands.
STANDING_COLUMNS = ("cohort", "faced", "periods", "active", "elapsed", "customers")
FORECAST_COLUMNS = ("cohort", "period", "size", "at_risk", "retained", "retained_low", "retained_high")


class InvalidInterval(InvalidInput, ValueError):
    """An interval that holds nothing or everything. Pass a share between 0 and 1, such as 0.8."""


def renewals_of_standing(standing: pd.DataFrame) -> tuple[Floats, Floats, Floats]:
    """Periods, lost and weights for `fit`, of `standing` (see `forecast_cohorts`).

    Who was lost since the last renewal faced says nothing yet of the renewal ahead: others of that age have not had
    the whole period in which to leave. She counts as censored there, or every loss would come too early.
    """
    periods = standing["periods"].to_numpy(dtype=np.float64)
    lost = ~standing["active"].to_numpy(dtype=bool) & (periods < standing["faced"].to_numpy(dtype=np.float64))
    return periods, lost.astype(np.float64), standing["customers"].to_numpy(dtype=np.float64)


def forecast_cohorts(
    model: ShiftedBetaGeometric,
    standing: pd.DataFrame,
    until: int,
    parameters: Floats,
    interval: float,
    seed: int,
) -> pd.DataFrame:
    """A row for each cohort and period up to `until` that not all members have faced yet.

    `standing` has a row for each kind of customer: `cohort`, `faced` (renewals for which there was time), `periods`
    (renewals survived), `active`, `elapsed` (the share of the period since, 0 to 1, on average), `customers` (how
    many), and where asked for `seen`: the cohort's last period that needs no row, if not all that its members faced.
    `parameters` (n, 2) are draws of alpha and beta.
    Columns of the forecast: cohort, period, size, at_risk (mean of those who face this renewal), retained (mean), and
    retained_low, retained_high: the central `interval` of how many it will be, by drawing each renewal as it falls.
    Raises InvalidColumn (a ValueError) for a column that is missing, InvalidInterval for a share outside (0, 1).
    """
    if not 0 < interval < 1:
        raise InvalidInterval(f"an interval of {interval} cannot be used.", "Pass a share between 0 and 1.")
    for name in STANDING_COLUMNS:
        if name not in standing.columns:
            raise InvalidColumn(name, None, None, f"is missing; the frame has {list(standing.columns)}")
    rng = np.random.default_rng(seed)
    rates = model.retention_rate(np.arange(1, until + 1), parameters)
    found = [
        row for cohort, rows in standing.groupby("cohort") for row in _forecast_one(cohort, rows, rates, interval, rng)
    ]
    return pd.DataFrame(found, columns=list(FORECAST_COLUMNS))


def _forecast_one(
    cohort: object, rows: pd.DataFrame, rates: Floats, interval: float, rng: np.random.Generator
) -> list[tuple[object, ...]]:
    """The rows of one cohort; `rates` is (draws, until).

    Given alpha and beta, who has survived m renewals survives the next with r(m + 1), whoever she is: so those at risk
    can be drawn renewal by renewal as one binomial number.
    """
    until = rates.shape[1]
    known, (waiting, elapsed) = _known(rows, until), _waiting(rows, until)
    drawn, mean = np.zeros(len(rates), dtype=np.int64), np.zeros(len(rates))
    ends = [(1 - interval) / 2, (1 + interval) / 2]
    seen = int(rows["seen" if "seen" in rows.columns else "faced"].min())
    found: list[tuple[object, ...]] = []
    at_risk = float(known[min(seen, until)])
    for period in range(seen + 1, until + 1):
        rate = rates[:, period - 1]
        of_waiting = rate ** (1.0 - elapsed[period - 1])
        drawn = rng.binomial(drawn, rate) + rng.binomial(waiting[period - 1], of_waiting)
        mean = mean * rate + waiting[period - 1] * of_waiting
        low, high = np.quantile(drawn + known[period], ends)
        retained = float(mean.mean() + known[period])
        found.append((cohort, period, int(known[0]), at_risk, retained, float(low), float(high)))
        at_risk = retained
    return found


def _known(rows: pd.DataFrame, until: int) -> Integers:
    """How many are known to have survived 0, 1, ..., `until` renewals, whatever became of them since."""
    at = np.minimum(rows["periods"].to_numpy(dtype=np.int64), until)
    ended = np.bincount(at, weights=rows["customers"].to_numpy(dtype=np.float64), minlength=until + 1)
    return np.cumsum(ended[::-1])[::-1].astype(np.int64)


def _waiting(rows: pd.DataFrame, until: int) -> tuple[Integers, Floats]:
    """How many are active after 0, 1, ... renewals and wait for the next, and the share of the period behind them."""
    active = rows[rows["active"].to_numpy(dtype=bool) & (rows["periods"] < until).to_numpy()]
    at, n = active["periods"].to_numpy(dtype=np.int64), active["customers"].to_numpy(dtype=np.float64)
    waiting = np.bincount(at, weights=n, minlength=until)
    passed = np.bincount(at, weights=n * active["elapsed"].to_numpy(dtype=np.float64), minlength=until)
    return waiting.astype(np.int64), np.clip(passed / np.maximum(waiting, 1), 0.0, 1.0)
