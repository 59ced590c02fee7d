"""Finds a maximum of a log likelihood over log parameters and says so when it is none."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve
from scipy.optimize import minimize

from retentioncast.core.errors import FitFailed
from retentioncast.models.arrays import Floats

logger = logging.getLogger(__name__)

LogLikelihood = Callable[[Floats], tuple[float, Floats]]

#: Log parameters stay within this distance of 0 (the data are scaled to about 1): 6e-6 to 160,000.
LOG_BOUND = 12.0
#: A maximum is reached when a further Newton step promises less than this in log likelihood.
NEWTON_DECREMENT = 1e-8
_HESSIAN_STEP = 1e-4
_ADVICE = "Look for extreme values, wait for more customers and more repeat purchases, or use a simpler model."
_MOST_NEWTON_STEPS = 20
#: Tops no farther from each other than this (in logs) are of one hill.
_SAME_HILL = 0.1


@dataclass(frozen=True, slots=True)
class Optimum:
    """A maximum: log parameters (k,), log likelihood, covariance of the log parameters (k, k)."""

    log_parameters: Floats
    log_likelihood: float
    covariance: Floats


def maximise(
    objective: LogLikelihood,
    starts: Sequence[Floats],
    names: tuple[str, ...],
    n: float,
    rehearsal: LogLikelihood | None = None,
) -> Optimum:
    """The best maximum from several starts, by L-BFGS and then Newton steps on the log parameters.

    `objective` gives log likelihood and gradient in the log parameters; `n` customers set its scale. `rehearsal` is
    much the same and much quicker: its hills are looked for first, and climbed in earnest from near their tops. Raises
    FitFailed when it is not finite, a bound is hit, the gradient does not vanish, or a parameter cannot be told from
    the data.
    """
    near = [] if rehearsal is None else _hills(rehearsal, starts, n)
    found = [_approach(objective, hill, n) for hill in near] or [_climb(objective, start, n) for start in starts]
    finite = [point for point in found if np.isfinite(objective(point)[0])]
    if not finite:
        raise FitFailed("the log likelihood is not finite from any start.", "Look for extreme values in the data.")
    best = max(finite, key=lambda point: objective(point)[0])
    _refuse_bounds(best, names)
    return polish(objective, best, names)


def _climb(objective: LogLikelihood, start: Floats, n: float) -> Floats:
    def loss(point: Floats) -> tuple[float, Floats]:
        value, gradient = objective(point)
        return -value / n, -gradient / n

    inside = np.clip(start, -LOG_BOUND, LOG_BOUND)
    box = [(-LOG_BOUND, LOG_BOUND)] * inside.size
    result = minimize(loss, inside, jac=True, method="L-BFGS-B", bounds=box, options={"ftol": 1e-11, "gtol": 1e-7})
    logger.debug("climbed to %.4f", -result.fun * n, extra={"action": "climb", "evaluations": int(result.nfev)})
    return np.asarray(result.x, dtype=np.float64)


def _hills(rehearsal: LogLikelihood, starts: Sequence[Floats], n: float) -> list[Optimum]:
    """The different hills that the starts lead to, with their curvature; those without a top are left out."""
    hills: list[Optimum] = []
    for start in starts:
        top = _climb(rehearsal, start, n)
        if np.abs(top).max() > LOG_BOUND - 0.01 or any(_same(top, hill) for hill in hills):
            continue
        try:
            hills.append(Optimum(top, rehearsal(top)[0], _covariance(rehearsal, top)))
        except FitFailed:
            continue
    return hills


def _same(top: Floats, hill: Optimum) -> bool:
    return bool(np.abs(top - hill.log_parameters).max() < _SAME_HILL)


def _approach(objective: LogLikelihood, hill: Optimum, n: float) -> Floats:
    """Newton steps by the rehearsal's curvature, an evaluation each, while they climb; else a climb from there."""
    point = hill.log_parameters
    value, gradient = objective(point)
    for _ in range(_MOST_NEWTON_STEPS):
        step = hill.covariance @ gradient
        if gradient @ step < NEWTON_DECREMENT:
            return point
        reached, slope = objective(point + step)
        if not reached >= value:
            break
        point, value, gradient = point + step, reached, slope
    return _climb(objective, point, n)


def _refuse_bounds(point: Floats, names: tuple[str, ...]) -> None:
    for name, value in zip(names, point, strict=True):
        if abs(value) > LOG_BOUND - 0.01:
            end = "infinity" if value > 0 else "zero"
            raise FitFailed(
                f"parameter {name} runs off to {end}: these data do not determine it.",
                _ADVICE,
            )


def polish(objective: LogLikelihood, point: Floats, names: tuple[str, ...]) -> Optimum:
    """Newton steps, halved while they do not climb, until the next one promises nothing."""
    for _ in range(_MOST_NEWTON_STEPS):
        value, gradient = objective(point)
        covariance = _covariance(objective, point)
        step = covariance @ gradient
        if gradient @ step < NEWTON_DECREMENT:
            return Optimum(point, value, covariance)
        point = _step_up(objective, point, value, step)
        _refuse_bounds(point, names)
    raise FitFailed(
        f"no maximum after {_MOST_NEWTON_STEPS} Newton steps (gradient {np.abs(gradient).max():.2g}).",
        "Look for extreme values in the data.",
    )


def _step_up(objective: LogLikelihood, point: Floats, value: float, step: Floats) -> Floats:
    for halvings in range(30):
        candidate = np.asarray(point + step * 0.5**halvings)
        reached = objective(candidate)[0]
        if np.isfinite(reached) and reached >= value - 1e-12 * abs(value):
            return candidate
    raise FitFailed(
        "the log likelihood is so flat where the search ended that rounding hides what is up: these data do not "
        "determine the model.",
        _ADVICE,
    )


def _covariance(objective: LogLikelihood, point: Floats) -> Floats:
    """Inverse of minus the Hessian, by central differences of the analytic gradient."""
    k = point.size
    hessian = np.empty((k, k))
    for i, shift in enumerate(np.eye(k) * _HESSIAN_STEP):
        hessian[i] = (objective(point + shift)[1] - objective(point - shift)[1]) / (2 * _HESSIAN_STEP)
    information = -(hessian + hessian.T) / 2
    try:
        return np.asarray(cho_solve(cho_factor(information), np.eye(k)))
    except (LinAlgError, ValueError) as error:
        raise FitFailed(
            "the log likelihood is flat where the search ended: these data do not determine the model.",
            _ADVICE,
        ) from error
