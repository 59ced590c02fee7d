"""Expected purchases of a customer who may leave after each, by an integral that holds where 2F1 does not.

The paper's form (Fader, Hardie & Lee 2005, eq. 10), (c / (a - 1)) (1 - (1 + z)^-s 2F1(s, beta; c; z / (1 + z))),
divides 0 by 0 at a = 1 and loses its digits for small z; its series crawls as z / (1 + z) -> 1.
"""

from __future__ import annotations

import math

import numpy as np

from retentioncast.models.arrays import Floats
from retentioncast.models.btyd.compiled import compiled

#: exp(-40) is nothing beside 1 in double precision.
_NEGLIGIBLE = 40.0
#: Step in u for few purchases in short horizons; 10^-12 is reached with some 60 nodes.
_STEP = 0.14


def purchases_while_alive(s: Floats | float, a: Floats | float, beta: Floats | float, z: Floats | float) -> Floats:
    """E[(1 - (1 + p z)^-s) / p] over p ~ Beta(a, beta), broadcast; z is the horizon over (alpha + T).

    Given the dropout probability p and a rate lambda ~ Gamma(s, alpha + T), a customer who is alive makes
    (1 - exp(-lambda p t)) / p purchases in t on average.
    """
    columns = np.broadcast_arrays(*(np.asarray(value, dtype=np.float64) for value in (s, a, beta, z)))
    flat = [np.ascontiguousarray(column.ravel()) for column in columns]
    return _integrals(*flat).reshape(columns[0].shape)


@compiled
def _integrals(s: Floats, a: Floats, beta: Floats, z: Floats) -> Floats:
    result = np.empty(s.size)
    for i in range(s.size):
        result[i] = s[i] * z[i] - _shortfall(s[i], a[i], beta[i], z[i])
    return result


@compiled
def _shortfall(s: float, a: float, beta: float, z: float) -> float:
    """What dropout takes from s z purchases: E[s z - (1 - (1 + p z)^-s) / p].

    With p = 1 / (1 + e^-y) and y = centre + width sinh(u) the integrand is analytic and falls double exponentially,
    so the trapezoid rule gains digits with each node. The shortfall vanishes with p, which shortens the left tail.
    """
    if z <= 0.0:
        return 0.0
    centre = math.log((a + 1.0) / beta)
    width = 1.0 / math.sqrt(1.0 + (a + 1.0) * beta / (a + 1.0 + beta))
    log_beta = math.lgamma(a) + math.lgamma(beta) - math.lgamma(a + beta)
    low = -math.asinh((_NEGLIGIBLE / (a + 1.0) + 4.0) / width)
    high = math.asinh((_NEGLIGIBLE / beta + 4.0) / width)
    step = _STEP / (1.0 + 0.12 * math.log1p(s * z))
    nodes = int((high - low) / step) + 1
    total = 0.0
    for k in range(nodes + 1):
        growth = math.exp(low + (high - low) * k / nodes)
        y = centre + width * (growth - 1.0 / growth) / 2.0
        tail = math.exp(-abs(y))
        log_larger = -math.log1p(tail)
        p = 1.0 / (1.0 + tail) if y > 0 else tail / (1.0 + tail)
        log_weight = (a + beta) * log_larger - (beta * y if y > 0 else -a * y)
        total += (growth + 1.0 / growth) / 2.0 * math.exp(log_weight - log_beta) * _lost(s, p, z)
    return total * width * (high - low) / nodes


@compiled
def _lost(s: float, p: float, z: float) -> float:
    """s z - (1 - (1 + p z)^-s) / p, by its series where p z is small."""
    q = p * z
    if (s + 2.0) * q < 1e-3:
        series = 1.0 - (s + 3.0) * q / 4 * (1.0 - (s + 4.0) * q / 5)
        return s * z * (s + 1.0) * q / 2 * (1.0 - (s + 2.0) * q / 3 * series)
    return s * z + math.expm1(-s * math.log1p(q)) / p
