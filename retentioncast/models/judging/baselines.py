"""The naive forecasts that a model must beat: what anybody with a spreadsheet would say."""

from __future__ import annotations

import numpy as np

from retentioncast.models.arrays import Floats
from retentioncast.models.judging.logistic import fit_logistic, predict_logistic
from retentioncast.models.judging.purchase_days import Cut, PurchaseDays
from retentioncast.models.judging.told import Told

BASE_RATE, SAME_COUNT, OWN_RATE, RFM_LOGISTIC = "base rate", "same count", "own rate", "RFM logistic"
#: Fewer customers to learn from, or a smaller share of those now known (the very first ones): nothing is said.
_LEAST_CUSTOMERS, _LEAST_SHARE = 50, 0.25


def baselines(log: PurchaseDays, cut: Cut, horizon_days: int) -> dict[str, Told]:
    """Each baseline's forecast for a cut; those that learn do so from the window of the same length just before.

    base rate: the share of customers who bought nothing, and their mean purchases. same count: as often as in the last
    `horizon_days` (a number, no probability). own rate: (x + 1/2) / (T + a week) from now on, Poisson. RFM logistic:
    P(no purchase) by logistic regression on recency, frequency, money and age (a probability, no number).
    """
    m = cut.size
    unknown = np.full(m, np.nan)
    weeks = horizon_days / 7
    own = (cut.frequency + 0.5) / (cut.T + 1.0) * weeks
    told = {
        SAME_COUNT: Told(unknown, cut.before[horizon_days]),
        OWN_RATE: Told(np.exp(-own), own),
    }
    earlier = log.cut(cut.day - horizon_days, (horizon_days,))
    if earlier.size < max(_LEAST_CUSTOMERS, _LEAST_SHARE * m):
        return told
    came = earlier.happened[horizon_days]
    none = (came == 0).astype(np.float64)
    told[BASE_RATE] = Told(np.full(m, (none.sum() + 0.5) / (none.size + 1)), np.full(m, came.mean()))
    told[RFM_LOGISTIC] = Told(_logistic(earlier, none, cut), unknown)
    return told


def _logistic(earlier: Cut, none: Floats, cut: Cut) -> Floats:
    seen = _features(earlier)
    centre, width = seen.mean(axis=0), np.maximum(seen.std(axis=0), 1e-9)
    coefficients = fit_logistic((seen - centre) / width, none)
    return predict_logistic((_features(cut) - centre) / width, coefficients)


def _features(cut: Cut) -> Floats:
    """Logs of recency (weeks since the latest purchase), frequency, money and age, and whether there was a repeat."""
    columns = [cut.T - cut.recency, cut.frequency, np.maximum(cut.spend, 0.0), cut.T]
    return np.column_stack([*(np.log1p(column) for column in columns), cut.frequency > 0])
