"""Expected purchases of a customer who may leave after each, by a sum or an integral that hold where 2F1 does not.

The paper's form (Fader, Hardie & Lee 2005, eq. 10), (c / (a - 1)) (1 - (1 + z)^-s 2F1(s, beta; c; z / (1 + z))),
divides 0 by 0 at a = 1 and loses its digits for small z. The sum that is taken instead has positive terms only; where
it would be long (many purchases, z / (1 + z) -> 1), an integral is quicker.
"""

from __future__ import annotations

import math

import numpy as np

from retentioncast.models.arrays import Floats
from retentioncast.models.btyd.compiled import compiled

#: Terms up to which the sum is quicker than the integral, and what is left out of it.
_MOST_TERMS, _LEFT_OUT = 400, 1e-14
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
    flat = [column.flatten() for column in columns]
    return _of_columns(*flat).reshape(columns[0].shape)


@compiled
def _of_columns(s: Floats, a: Floats, beta: Floats, z: Floats) -> Floats:
    """For columns (n,); neighbours that differ in z alone (customers of one x, under one draw) share their factors."""
    result, filled = np.empty(s.size), 0
    growth, stays, made = np.empty(_MOST_TERMS), np.empty(_MOST_TERMS), np.empty(_MOST_TERMS)
    for i in range(s.size):
        if i == 0 or s[i] != s[i - 1] or a[i] != a[i - 1] or beta[i] != beta[i - 1]:
            filled = 0
        result[i] = np.nan
        if s[i] * z[i] + 10.0 * math.sqrt(s[i] * z[i] * (1.0 + z[i])) + 30.0 * z[i] < _MOST_TERMS:
            result[i], filled = _sum(s[i], a[i], beta[i], z[i], growth, stays, made, filled)
        if math.isnan(result[i]):
            result[i] = s[i] * z[i] - _shortfall(s[i], a[i], beta[i], z[i])
    return result


@compiled
def _sum(
    s: float, a: float, beta: float, z: float, growth: Floats, stays: Floats, made: Floats, filled: int
) -> tuple[float, int]:
    """Sum over n of P(N = n) E[those of n purchases until leaving], N ~ NBD(s, z) as if nobody left; NaN if too long.

    As p = 1 - (1 - p): 1 + p z = (1 + z) (1 - (1 - p) z / (1 + z)), whose power -s is a binomial series in 1 - p.
    With n = j + 1, `growth[j]` is (s + j) / n, `stays[j]` E[(1 - p)^j], `made[j]` the sum of these up to j; `filled`
    of each are known.
    """
    share = z / (1.0 + z)
    chance, total = math.exp(-s * math.log1p(z)), 0.0
    for j in range(_MOST_TERMS):
        if j >= filled:
            growth[j] = (s + j) / (j + 1.0)
            stays[j] = stays[j - 1] * (beta + j - 1) / (a + beta + j - 1) if j > 0 else 1.0
            made[j] = made[j - 1] + stays[j] if j > 0 else 1.0
            filled = j + 1
        chance *= growth[j] * share
        term = chance * made[j]
        total += term
        if term <= _LEFT_OUT * (1.0 - share) * total and j > s * z:
            return total, filled
    return np.nan, filled


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
