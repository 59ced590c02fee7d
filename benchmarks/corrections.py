"""Corrections of P(no purchase) tried at the rolling origins: what each gains where it was not fitted.

Curves (beta, isotonic) for all horizons or for each apart, and a shift of the logit, the same for all horizons or
growing with them, drawn towards 0 by a prior of some width.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import expit, logit

from retentioncast.models.arrays import Floats
from retentioncast.models.judging.choice import Bools, leave_one_origin_out
from retentioncast.models.judging.gain import Gain, paired_gain
from retentioncast.models.judging.judgement import Evidence
from retentioncast.models.judging.measures import log_scores
from retentioncast.models.judging.recalibration import Curve, fit_beta, fit_isotonic
from retentioncast.models.judging.told import stack_rows

WIDTHS = (0.01, 0.03, 0.1, 10.0)
METHODS: dict[str, Callable[[Floats, Floats], Curve]] = {"a beta curve": fit_beta, "an isotonic curve": fit_isotonic}


def gains(evidence: Evidence) -> Iterator[tuple[str, Gain]]:
    """The gain in log score of each correction, a prediction."""
    rows = stack_rows(evidence.windows, list(evidence.choice.weights))
    days = np.concatenate([np.full(each.customer.size, float(each.horizon_days)) for each in evidence.windows])
    mixed, none, origin = evidence.choice.mixed, rows.none, rows.origin

    def gain(told: Floats) -> Gain:
        return paired_gain(log_scores(told, none), log_scores(mixed, none), rows.customer)

    def curved(method: str, of: Bools) -> Floats:
        told, came = mixed[of], none[of]
        if np.unique(origin[of]).size < 2:
            return told
        return leave_one_origin_out(told, origin[of], lambda train: METHODS[method](told[train], came[train]))

    for method in METHODS:
        yield method, gain(curved(method, np.ones(days.size, dtype=np.bool_)))
        apart = mixed.copy()
        for horizon in np.unique(days):
            apart[days == horizon] = curved(method, days == horizon)
        yield f"{method} for each horizon", gain(apart)
    for name, scale in (("a shift", np.ones(days.size)), ("a shift that grows", days / days.max())):
        for width in WIDTHS:
            yield f"{name}, width {width:g}", gain(_shifted(mixed, none, origin, scale, width))


def _shifted(told: Floats, none: Floats, origin: np.ndarray, scale: Floats, width: float) -> Floats:
    """The shift of each origin fitted to the others."""
    logits, shifted = logit(told), np.empty_like(told)
    for day in np.unique(origin):
        out = origin == day
        shift = fit_shift(logits[~out], none[~out], scale[~out], width)
        shifted[out] = expit(logits[out] + shift * scale[out])
    return shifted


def fit_shift(logits: Floats, none: Floats, scale: Floats, width: float) -> float:
    """The mode of c in expit(logits + c scale) with c ~ Normal(0, width)."""

    def loss(c: float) -> float:
        return float(0.5 * (c / width) ** 2 - log_scores(expit(logits + c * scale), none).sum())

    return float(minimize_scalar(loss, bounds=(-2, 2), method="bounded").x)
