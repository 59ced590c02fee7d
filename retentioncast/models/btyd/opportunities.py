"""The sums over the unseen opportunity of leaving that BG/BB rests on, with their gradient.

All terms are positive and each follows from the last by a ratio below 1: no Beta function of large numbers is needed.
"""

from __future__ import annotations

import math

import numpy as np

from retentioncast.models.arrays import Floats
from retentioncast.models.btyd.compiled import compiled, digamma

#: What is left of a sum is less than what was left of its last factor: nothing, at this share.
_NEGLIGIBLE = 1e-18


@compiled
def silent_parts(a: Floats, b: Floats, c: Floats, d: Floats, k: Floats) -> tuple[Floats, Floats]:
    """P(stays, buys nothing) and P(leaves, bought nothing) at k opportunities, p ~ Beta(a, b), theta ~ Beta(c, d)."""
    stays, leaves = np.empty(a.size), np.empty(a.size)
    for i in range(a.size):
        stays[i], leaves[i] = _silence(a[i], b[i], c[i], d[i], k[i])[:2]
    return stays, leaves


@compiled
def times_alive(c: Floats, d: Floats, k: Floats) -> tuple[Floats]:
    """E[of k opportunities those before leaving], theta ~ Beta(c, d): the sum of E[(1 - theta)^i], i = 1 to k."""
    result = np.empty(c.size)
    for i in range(c.size):
        total, stays = 0.0, 1.0
        for j in range(int(k[i])):
            stays *= (d[i] + j) / (c[i] + d[i] + j)
            total += stays
            if stays * (k[i] - j) < _NEGLIGIBLE * total:
                break
        result[i] = total
    return (result,)


@compiled
def count_probabilities(
    alpha: Floats, beta: Floats, gamma: Floats, delta: Floats, n: Floats, k: Floats, constant: Floats
) -> tuple[Floats]:
    """P(n purchases at k opportunities) (eq. 8): stays to the end, or leaves after i of them."""
    result = np.zeros(n.size)
    for i in range(n.size):
        x = n[i]
        for m in range(int(x), int(k[i]) + 1):
            ways = math.lgamma(m + 1) - math.lgamma(x + 1) - math.lgamma(m - x + 1)
            buys = math.lgamma(alpha[i] + x) + math.lgamma(beta[i] + m - x) - math.lgamma(alpha[i] + beta[i] + m)
            c = gamma[i] if m == k[i] else gamma[i] + 1
            leaves = math.lgamma(c) + math.lgamma(delta[i] + m) - math.lgamma(c + delta[i] + m)
            result[i] += math.exp(constant[i] + ways + buys + leaves)
    return (result,)


@compiled
def log_likelihood(parameters: Floats, x: Floats, t_x: Floats, n: Floats, weights: Floats) -> tuple[float, Floats]:
    """Weighted log likelihood (eq. 5) and its gradient (4,) in alpha, beta, gamma, delta.

    A row's term is the log of B(alpha + x, beta + t_x - x) / B(alpha, beta) B(gamma, delta + t_x) / B(gamma, delta),
    what happened up to t_x, times P(buys nothing at the n - t_x opportunities since | alive at t_x).
    """
    alpha, beta, gamma, delta = parameters
    gradient = np.zeros(4)
    total = 0.0
    for i in range(x.size):
        passed = t_x[i] - x[i]
        stays, leaves, d_a, d_b, d_c, d_d = _silence(alpha + x[i], beta + passed, gamma, delta + t_x[i], n[i] - t_x[i])
        silent = stays + leaves
        term = _log_rising(alpha, x[i]) + _log_rising(beta, passed) - _log_rising(alpha + beta, t_x[i])
        term += _log_rising(delta, t_x[i]) - _log_rising(gamma + delta, t_x[i]) + math.log(silent)
        both = digamma(alpha + beta) - digamma(alpha + beta + t_x[i])
        lasting = digamma(gamma + delta) - digamma(gamma + delta + t_x[i])
        total += weights[i] * term
        gradient[0] += weights[i] * (digamma(alpha + x[i]) - digamma(alpha) + both + d_a / silent)
        gradient[1] += weights[i] * (digamma(beta + passed) - digamma(beta) + both + d_b / silent)
        gradient[2] += weights[i] * (lasting + d_c / silent)
        gradient[3] += weights[i] * (digamma(delta + t_x[i]) - digamma(delta) + lasting + d_d / silent)
    return total, gradient


@compiled
def _log_rising(a: float, k: float) -> float:
    """log of Gamma(a + k) / Gamma(a)."""
    return math.lgamma(a + k) - math.lgamma(a)


@compiled
def _silence(a: float, b: float, c: float, d: float, k: float) -> tuple[float, float, float, float, float, float]:
    """The two parts of `silent_parts`, and the derivatives of their sum in a, b, c, d.

    Term j, leaving before opportunity j + 1, is E[(1 - p)^j] E[theta (1 - theta)^j].
    """
    leaves, d_a, d_b, d_c, d_d = 0.0, 0.0, 0.0, 0.0, 0.0
    alive, l_a, l_b, l_c, l_d = 1.0, 0.0, 0.0, 0.0, 0.0  # E[(1 - p)^j] E[(1 - theta)^j], derivatives of its log
    for j in range(int(k)):
        gone = alive * c / (c + d + j)
        leaves += gone
        d_a += gone * l_a
        d_b += gone * l_b
        d_c += gone * (l_c + 1 / c - 1 / (c + d + j))
        d_d += gone * (l_d - 1 / (c + d + j))
        alive *= (b + j) / (a + b + j) * (d + j) / (c + d + j)
        l_a -= 1 / (a + b + j)
        l_b += 1 / (b + j) - 1 / (a + b + j)
        l_c -= 1 / (c + d + j)
        l_d += 1 / (d + j) - 1 / (c + d + j)
        if alive < _NEGLIGIBLE * leaves:
            break
    return alive, leaves, d_a + alive * l_a, d_b + alive * l_b, d_c + alive * l_c, d_d + alive * l_d
