"""Stacking: the weights with which the families' predictions together would have told best what happened.

Yao, Vehtari, Simpson & Gelman (2018), "Using stacking to average Bayesian predictive distributions", Bayesian
Analysis 13(3): maximise the mean log of the weighted predictive, held out (eq. 8). The problem is convex.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize

from retentioncast.models.arrays import Floats

_MOST_POLISHING = 200
#: The mean log score is at most this far from its maximum.
_GAP = 1e-7


def stacking_weights(log_scores: Floats) -> Floats:
    """Weights (k,) of k predictors, summing to 1, from held-out log scores (n, k).

    Sequential quadratic programming on the simplex, then the fixed point w_k <- w_k mean(p_k / sum_j w_j p_j), which
    never leaves it and climbs at each step (EM for mixture proportions): max_k mean(p_k / sum_j w_j p_j) - 1 bounds
    what is left to gain.
    """
    k = log_scores.shape[1]
    relative = np.exp(log_scores - log_scores.max(axis=1, keepdims=True))
    result = _search(relative) if k > 1 else np.ones(k)
    for _ in range(_MOST_POLISHING):
        ratio = (1 / (relative @ result)) @ relative / len(relative)
        if ratio.max() - 1 < _GAP:
            break
        result = result * ratio
    return np.asarray(result / result.sum())


def mix_log_scores(log_scores: Floats, weights: Floats) -> Floats:
    """Log scores (n,) of the weighted predictive."""
    best = log_scores.max(axis=1)
    return np.asarray(best + np.log(np.exp(log_scores - best[:, None]) @ weights))


def _search(relative: Floats) -> Floats:
    n, k = relative.shape

    def loss(weights: Floats) -> tuple[float, Floats]:
        mixed = np.maximum(relative @ weights, 1e-300)
        return float(-np.log(mixed).mean()), -(1 / mixed) @ relative / n

    whole = {"type": "eq", "fun": lambda w: w.sum() - 1.0, "jac": lambda w: np.ones(k)}
    start = np.full(k, 1 / k)
    found = minimize(
        loss, start, jac=True, method="SLSQP", bounds=[(0.0, 1.0)] * k, constraints=[whole], options={"ftol": 1e-12}
    )
    inside = np.maximum(found.x, 1e-6)
    return np.asarray(inside / inside.sum() if np.all(np.isfinite(inside)) else start)
