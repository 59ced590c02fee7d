"""Chooses family or stack, and whether its probabilities are recalibrated, by what held out at the rolling origins."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from retentioncast.models.arrays import Floats, Integers
from retentioncast.models.judging.gain import Gain, paired_gain
from retentioncast.models.judging.measures import log_scores
from retentioncast.models.judging.recalibration import Curve, fit_beta, fit_isotonic
from retentioncast.models.judging.stacking import stacking_weights
from retentioncast.models.judging.told import Rows

Bools = NDArray[np.bool_]
#: A gain is clear when it is more than so many of its standard errors.
CLEAR = 2.0
#: A member of less weight is left out: it costs as much time as the others.
LEAST_WEIGHT = 0.05
#: Isotonic regression has as many parameters as it likes; below this many predictions it is not tried.
LEAST_FOR_ISOTONIC = 5_000


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """Weights by family (of those in use), the recalibration or None, and the gains that decided.

    `held_out` (n,) are the choice's P(no purchase), each made without the outcomes of its own origin; `mixed` (n,) the
    same before recalibration.
    """

    weights: dict[str, float]
    curve: Curve | None
    stack_gain: Gain | None
    curve_gain: Gain | None
    held_out: Floats
    mixed: Floats
    curve_from: str = "rolling origins"


def choose(rows: Rows, families: list[str]) -> Choice:
    """The families' weights and the recalibration for predictions (n, k) of k families.

    The stack's gain over the best family is measured origin by origin, with weights from the other origins. Only where
    that is clearly a loss is the best family taken alone: where families cannot be told apart, a mixture of them errs
    less than the one that happened to be ahead (docs/models/judging.md has the simulated shops that say so).
    """
    mix = _mix(rows, families)
    curve, curve_gain, curved = choose_curve(mix.told, rows.none, rows.origin, rows.customer)
    return Choice(mix.weights, curve, mix.gain, curve_gain, curved, mix.told)


@dataclass(frozen=True, slots=True, eq=False)
class _Mix:
    """Weights of the families in use, what they told (n,) without the outcomes of each origin, the stack's gain."""

    weights: dict[str, float]
    told: Floats
    gain: Gain | None


def _mix(rows: Rows, families: list[str]) -> _Mix:
    """The stack, or the best family where the stack clearly loses against it."""
    scores = rows.log_scores
    best = int(np.argmax(scores.mean(axis=0)))
    weights = _without_crumbs(stacking_weights(scores))
    told, gain = rows.no_purchase @ weights, None
    if weights.max() < 1 and np.unique(rows.origin).size > 1:
        told = _held_out_mix(rows)
        gain = paired_gain(log_scores(told, rows.none), scores[:, best], rows.customer)
        if gain.is_clear_loss(CLEAR):
            weights, told = np.asarray(np.eye(len(families))[best]), rows.no_purchase[:, best]
    used = {name: float(weight) for name, weight in zip(families, weights, strict=True) if weight > 0}
    return _Mix(used, told, gain)


def _without_crumbs(weights: Floats) -> Floats:
    kept = np.where(weights < LEAST_WEIGHT, 0.0, weights)
    return np.asarray(kept / kept.sum())


def _held_out_mix(rows: Rows) -> Floats:
    """The stack's P(no purchase), weights fitted on the other origins."""
    scores = rows.log_scores

    def fit(train: Bools) -> Callable[[Floats], Floats]:
        weights = _without_crumbs(stacking_weights(scores[train]))
        return lambda told: np.asarray(told @ weights)

    return leave_one_origin_out(rows.no_purchase, rows.origin, fit)


def choose_curve(
    told: Floats, none: Floats, origin: Integers, customer: Integers
) -> tuple[Curve | None, Gain | None, Floats]:
    """The recalibration that clearly helps at origins it was not fitted to, its gain, and held-out probabilities.

    None, with the predictions as they were told, when none does. Clear: more than 2 standard errors in log score, and
    a gain at more than half of the origins (one odd season is no miscalibration).
    """
    if np.unique(origin).size < 2:
        return None, None, told
    methods = [fit_beta, *([fit_isotonic] if told.size >= LEAST_FOR_ISOTONIC else [])]
    tried = [(method, _held_out_curve(method, told, none, origin)) for method in methods]
    before = log_scores(told, none)
    method, curved = max(tried, key=lambda pair: float(log_scores(pair[1], none).mean()))
    after = log_scores(curved, none)
    gain = paired_gain(after, before, customer)
    if not gain.is_clear(CLEAR) or not _mostly_gains(after - before, origin):
        return None, gain, told
    return method(told, none), gain, curved


def _held_out_curve(method: Callable[[Floats, Floats], Curve], told: Floats, none: Floats, origin: Integers) -> Floats:
    return leave_one_origin_out(told, origin, lambda train: method(told[train], none[train]))


def leave_one_origin_out(
    told: Floats,
    origin: Integers,
    fit: Callable[[Bools], Callable[[Floats], Floats]],
) -> Floats:
    """For the rows of each origin, what a map fitted to all other rows makes of what was told: (n,)."""
    made = np.empty(origin.size)
    for left_out in np.unique(origin):
        test = origin == left_out
        made[test] = fit(~test)(told[test])
    return made


def _mostly_gains(gain: Floats, origin: Integers) -> bool:
    gains = [bool(gain[origin == day].mean() > 0) for day in np.unique(origin)]
    return sum(gains) * 2 > len(gains)
