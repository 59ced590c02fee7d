"""Pareto/NBD and Gamma-Gompertz/NBD compiled: the likelihood and its gradient."""

from __future__ import annotations

import math

import numpy as np

from retentioncast.models.arrays import Floats, Integers
from retentioncast.models.btyd.compiled import compiled, digamma
from retentioncast.models.btyd.leaving_time import silence, spread


@compiled
def log_likelihood(parameters: Floats, x: Floats, t_x: Floats, age: Floats, weights: Floats) -> tuple[float, Floats]:
    """Weighted log likelihood and its gradient (5,) in r, alpha, s, beta, b. Rows sorted by x cost least.

    A row's term is the log of Gamma(r + x) / Gamma(r) alpha^r (alpha + t_x)^-(r + x) S(t_x), purchases up to the
    latest, times P(no purchase in (t_x, T] | alive at t_x).
    """
    r, alpha, s, beta, b = parameters
    gradient = np.zeros(5)
    total, last_x, constant, d_r = 0.0, -1.0, 0.0, 0.0
    for i in range(x.size):
        n, w = x[i], weights[i]
        if n != last_x:  # what depends on x alone
            constant = math.lgamma(r + n) - math.lgamma(r)
            d_r = digamma(r + n) - digamma(r)
            last_x = n
        stays, leaves, d_k, d_alpha, d_s, d_beta, d_b = silence(r + n, alpha, s, beta, b, t_x[i], age[i])
        silent = stays + leaves
        log_recency, n_log = math.log1p(t_x[i] / alpha), n * math.log(alpha + t_x[i])
        q, decay, slope = spread(t_x[i], beta, b)
        log_left = b * t_x[i] + math.log(q / beta)
        total += w * (constant - r * log_recency - n_log - s * log_left + math.log(silent))
        gradient[0] += w * (d_r - log_recency + d_k / silent)
        gradient[1] += w * (r / alpha - (r + n) / (alpha + t_x[i]) + d_alpha / silent)
        gradient[2] += w * (d_s / silent - log_left)
        gradient[3] += w * (d_beta / silent - s * (decay / q - 1 / beta))
        gradient[4] += w * (d_b / silent - s * (t_x[i] + slope / q))
    return total, gradient


@compiled
def log_likelihood_of_runs(
    parameters: Floats, edges: Integers, x: Floats, t_x: Floats, age: Floats, weights: Floats
) -> tuple[float, Floats]:
    """`log_likelihood` of runs of rows, each with its own parameters (p, 5): the sum, and the gradient (p, 5)."""
    gradient = np.empty_like(parameters)
    total = 0.0
    for i in range(len(parameters)):
        a, b = edges[i], edges[i + 1]
        value, of_run = log_likelihood(parameters[i], x[a:b], t_x[a:b], age[a:b], weights[a:b])
        total += value
        gradient[i] = of_run
    return total, gradient
