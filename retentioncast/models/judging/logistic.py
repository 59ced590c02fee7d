"""Logistic regression by Newton's method: a few columns, a penalty that keeps it finite, nothing more."""

from __future__ import annotations

import numpy as np
from scipy.special import expit

from retentioncast.models.arrays import Floats

_MOST_STEPS = 50
_RIDGE = 1e-4


def fit_logistic(features: Floats, outcome: Floats, weights: Floats | None = None) -> Floats:
    """Coefficients (k + 1,) of features (n, k), the constant last, that maximise the log likelihood less a penalty.

    `outcome` (n,) lies in [0, 1]. The penalty is 1e-4 of half the sum of squares: data that separate the outcomes give
    large coefficients, not infinite ones. Steps are halved while they do not climb.
    """
    design = np.column_stack([features, np.ones(len(features))])
    w = np.ones(len(design)) if weights is None else weights
    coefficients = np.zeros(design.shape[1])
    value = _value(design, outcome, w, coefficients)
    for _ in range(_MOST_STEPS):
        p = expit(design @ coefficients)
        gradient = design.T @ (w * (outcome - p)) - _RIDGE * coefficients
        information = (design.T * (w * p * (1 - p))) @ design + _RIDGE * np.eye(coefficients.size)
        step = np.linalg.solve(information, gradient)
        while (reached := _value(design, outcome, w, coefficients + step)) < value and np.abs(step).max() > 1e-12:
            step /= 2
        coefficients, value = coefficients + step, reached
        if gradient @ step < 1e-10 * max(float(w.sum()), 1.0):
            break
    return coefficients


def predict_logistic(features: Floats, coefficients: Floats) -> Floats:
    """Probabilities (n,) for features (n, k)."""
    return np.asarray(expit(features @ coefficients[:-1] + coefficients[-1]))


def _value(design: Floats, outcome: Floats, weights: Floats, coefficients: Floats) -> float:
    linear = design @ coefficients
    log_likelihood = weights @ (outcome * linear - np.logaddexp(0.0, linear))
    return float(log_likelihood - _RIDGE / 2 * coefficients @ coefficients)
