"""BG/NBD and MBG/NBD compiled: the likelihood of rows that differ in everything, and P(alive) of many draws."""

from __future__ import annotations

import math

import numpy as np

from retentioncast.models.arrays import Floats, Integers
from retentioncast.models.btyd.compiled import compiled, digamma


@compiled
def alive_by_draws(
    r: Floats,
    alpha: Floats,
    a: Floats,
    b: Floats,
    x: Floats,
    recencies: Floats,
    place: Integers,
    age: Floats,
    chances: Floats,
) -> Floats:
    """P(alive at T) (n, m) for draws (n,) and customers (m,), whose t_x is `recencies[place]`.

    A third of the time of whole arrays: no logarithm is taken twice, least of all where neighbours share x and T.
    """
    result = np.empty((r.size, x.size))
    for k in range(r.size):
        log_recency = np.log(alpha[k] + recencies)
        log_age, log_ratio = 0.0, 0.0
        for i in range(x.size):
            if i == 0 or age[i] != age[i - 1]:
                log_age = math.log(alpha[k] + age[i])
            if i == 0 or chances[i] != chances[i - 1]:
                log_ratio = math.log(a[k]) - math.log(b[k] + max(chances[i], 1.0) - 1.0)
            odds = log_ratio + (r[k] + x[i]) * (log_age - log_recency[place[i]])
            result[k, i] = 1.0 if chances[i] == 0.0 else 1.0 / (1.0 + math.exp(odds))
    return result


@compiled
def log_likelihood(
    parameters: Floats, x: Floats, t_x: Floats, age: Floats, weights: Floats, first: float
) -> tuple[float, Floats]:
    """Weighted log likelihood and its gradient (4,) in r, alpha, a, b, with `first` chances to leave before x = 1.

    Rows sorted by x cost least. A row's term is log of
    Gamma(r + x) / Gamma(r) alpha^r (alpha + T)^-(r + x) B(a, b + c) / B(a, b) (1 + odds), where c = x + first,
    odds = a / (b + c - 1) ((alpha + T) / (alpha + t_x))^(r + x) that the customer left at t_x (0 where c = 0).
    """
    r, alpha, a, b = parameters
    gradient = np.zeros(4)
    total, last_x = 0.0, -1.0
    constant, d_r, d_a, d_b = 0.0, 0.0, 0.0, 0.0
    for i in range(x.size):
        n, chances = x[i], x[i] + first
        if n != last_x:  # what depends on x alone
            constant = math.lgamma(r + n) - math.lgamma(r) + r * math.log(alpha)
            constant += math.lgamma(b + chances) - math.lgamma(b) - math.lgamma(a + b + chances) + math.lgamma(a + b)
            d_r = digamma(r + n) - digamma(r) + math.log(alpha)
            d_a = digamma(a + b) - digamma(a + b + chances)
            d_b = digamma(b + chances) - digamma(b) + d_a
            last_x = n
        log_age = math.log(alpha + age[i])
        term, g_r, g_a, g_b = constant - (r + n) * log_age, d_r - log_age, d_a, d_b
        g_alpha = r / alpha - (r + n) / (alpha + age[i])
        if chances > 0:  # the customer may have left at t_x: log(1 + e^odds), w = P(left)
            log_recency = math.log(alpha + t_x[i])
            odds = math.log(a) - math.log(b + chances - 1) + (r + n) * (log_age - log_recency)
            tail = math.exp(-abs(odds))
            term += max(odds, 0.0) + math.log1p(tail)
            w = 1 / (1 + tail) if odds > 0 else tail / (1 + tail)
            g_r += w * (log_age - log_recency)
            g_alpha += w * (r + n) * (1 / (alpha + age[i]) - 1 / (alpha + t_x[i]))
            g_a += w / a
            g_b -= w / (b + chances - 1)
        total += weights[i] * term
        gradient[0] += weights[i] * g_r
        gradient[1] += weights[i] * g_alpha
        gradient[2] += weights[i] * g_a
        gradient[3] += weights[i] * g_b
    return total, gradient


@compiled
def log_likelihood_of_runs(
    parameters: Floats, edges: Integers, x: Floats, t_x: Floats, age: Floats, weights: Floats, first: float
) -> tuple[float, Floats]:
    """`log_likelihood` of runs of rows, each with its own parameters (p, 4): the sum, and the gradient (p, 4)."""
    gradient = np.empty_like(parameters)
    total = 0.0
    for i in range(len(parameters)):
        a, b = edges[i], edges[i + 1]
        value, of_run = log_likelihood(parameters[i], x[a:b], t_x[a:b], age[a:b], weights[a:b], first)
        total += value
        gradient[i] = of_run
    return total, gradient
