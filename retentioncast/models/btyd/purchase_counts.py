"""P(X(t) = n) of customers who leave at a time of their own: the integral over that time, with the NBD inside."""

from __future__ import annotations

import math

import numpy as np

from retentioncast.models.arrays import Floats
from retentioncast.models.btyd.compiled import compiled
from retentioncast.models.btyd.leaving_time import spread

#: Trapezoid in u with tau / t = 1 / (1 + e^(-pi sinh u)): beyond 3.4 either end of (0, t) is nearer than 1e-20.
_REACH, _NODES = 3.4, 170


@compiled
def count_probabilities(
    r: Floats, alpha: Floats, s: Floats, beta: Floats, b: Floats, n: Floats, t: Floats
) -> tuple[Floats]:
    """P(n repeat purchases within t of the first), for columns of equal length; see `leaving_time` for s, beta, b."""
    result = np.empty(r.size)
    for i in range(r.size):
        constant = math.lgamma(r[i] + n[i]) - math.lgamma(r[i]) - math.lgamma(n[i] + 1)
        stays = constant + _log_nbd(r[i], alpha[i], n[i], t[i]) - s[i] * _log_left(beta[i], b[i], t[i])
        result[i] = math.exp(stays)
        if t[i] > 0:
            result[i] += math.exp(constant) * _leaves_after(r[i], alpha[i], s[i], beta[i], b[i], n[i], t[i])
    return (result,)


@compiled
def _leaves_after(r: float, alpha: float, s: float, beta: float, b: float, n: float, t: float) -> float:
    """Integral over tau in (0, t) of (alpha / (alpha + tau))^r (tau / (alpha + tau))^n times the density of leaving."""
    total = 0.0
    for k in range(_NODES + 1):
        u = _REACH * (2.0 * k / _NODES - 1.0)
        odds = math.exp(math.pi * math.sinh(u))
        tau = t * odds / (1 + odds)
        weight = math.pi * math.cosh(u) * tau / (1 + odds)
        log_density = math.log(s / spread(tau, beta, b)[0]) - s * _log_left(beta, b, tau)
        total += weight * math.exp(_log_nbd(r, alpha, n, tau) + log_density)
    return total * 2 * _REACH / _NODES


@compiled
def _log_nbd(r: float, alpha: float, n: float, tau: float) -> float:
    if tau == 0.0:
        return 0.0 if n == 0.0 else -np.inf
    return -r * math.log1p(tau / alpha) - n * math.log1p(alpha / tau)


@compiled
def _log_left(beta: float, b: float, tau: float) -> float:
    """log(1 + G(tau) / beta)."""
    return b * tau + math.log(spread(tau, beta, b)[0] / beta)
