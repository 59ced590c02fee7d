"""The log likelihood of BG/NBD and MBG/NBD where all customers are alike: each part is taken once for all who share it.

A row is left with an exponential and a logarithm: 18 ns, 42 where each row takes all of its own.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from retentioncast.models.arrays import Floats, Integers
from retentioncast.models.btyd.compiled import compiled, digamma


@dataclass(frozen=True, slots=True, eq=False)
class DropoutRows:
    """Rows (n,) in ascending order of x. Rows `first_row[i]` to `first_row[i + 1]` have the i-th of the distinct `x`;
    `t_x` and `age` are distinct too, with each row's place among them; `of_age` (2, ages) is what the rows of each T
    weigh and bought.
    """

    x: Floats
    first_row: Integers
    t_x: Floats
    t_x_place: Integers
    age: Floats
    age_place: Integers
    of_age: Floats
    weights: Floats


def share_parts(x: Floats, t_x: Floats, age: Floats, weights: Floats) -> DropoutRows:
    """Columns (n,) in ascending order of x, put so that no logarithm is taken twice."""
    first_row = np.flatnonzero(np.diff(x, prepend=-1.0, append=np.inf))
    t_x_place, recencies = pd.factorize(t_x)
    age_place, ages = pd.factorize(age)
    of_age = np.stack([np.bincount(age_place, each, len(ages)) for each in (weights, weights * x)])
    return DropoutRows(x[first_row[:-1]], first_row, recencies, t_x_place, ages, age_place, of_age, weights)


def log_likelihood_of_shared(parameters: Floats, rows: DropoutRows, first: float) -> tuple[float, Floats]:
    """`log_likelihood` (in dropout.py: the formula is there) of customers who all have the same parameters (4,)."""
    r, alpha, _, _ = parameters
    log_age, log_recency = np.log(alpha + rows.age), np.log(alpha + rows.t_x)
    weight, bought = rows.of_age
    total, gradient = _by_purchases(
        parameters, first, rows.x, rows.first_row, rows.t_x_place, rows.age_place, rows.weights,
        log_age, log_recency, 1 / (alpha + rows.age), 1 / (alpha + rows.t_x),
    )  # fmt: skip
    total -= float((r * weight + bought) @ log_age)
    gradient[0] -= weight @ log_age
    gradient[1] -= (r * weight + bought) @ (1 / (alpha + rows.age))
    return total, gradient


@compiled
def _by_purchases(
    parameters: Floats,
    first: float,
    x: Floats,
    first_row: Integers,
    t_x_place: Integers,
    age_place: Integers,
    weights: Floats,
    log_age: Floats,
    log_recency: Floats,
    per_age: Floats,
    per_recency: Floats,
) -> tuple[float, Floats]:
    """All but what (alpha + T)^-(r + x) adds: what depends on x alone, and log(1 + odds)."""
    r, alpha, a, b = parameters
    gradient, total = np.zeros(4), 0.0
    for i in range(x.size):
        n, chances, weight = x[i], x[i] + first, 0.0
        log_ratio = math.log(a) - math.log(b + chances - 1) if chances > 0 else 0.0
        left, left_r, left_alpha = 0.0, 0.0, 0.0
        for j in range(first_row[i], first_row[i + 1]):
            w, since, latest = weights[j], age_place[j], t_x_place[j]
            weight += w
            if chances > 0:  # the customer may have left at t_x: log(1 + e^odds), w = P(left)
                silence = log_age[since] - log_recency[latest]
                odds = log_ratio + (r + n) * silence
                tail = math.exp(-abs(odds))
                total += w * (max(odds, 0.0) + math.log1p(tail))
                w *= (1.0 if odds > 0 else tail) / (1 + tail)
                left += w
                left_r += w * silence
                left_alpha += w * (per_age[since] - per_recency[latest])
        total += weight * (math.lgamma(r + n) - math.lgamma(r) + r * math.log(alpha))
        total += weight * (math.lgamma(b + chances) - math.lgamma(b))
        total += weight * (math.lgamma(a + b) - math.lgamma(a + b + chances))
        both = digamma(a + b) - digamma(a + b + chances)
        gradient[0] += weight * (digamma(r + n) - digamma(r) + math.log(alpha)) + left_r
        gradient[1] += weight * r / alpha + (r + n) * left_alpha
        gradient[2] += weight * both + left / a
        gradient[3] += weight * (both + digamma(b + chances) - digamma(b))
        if chances > 0:
            gradient[3] -= left / (b + chances - 1)
    return total, gradient
