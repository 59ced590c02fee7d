"""Gamma-Gamma with each customer's scale of spend as a parameter of its own.

Fader & Hardie (2013), "The Gamma-Gamma model of monetary value": nu ~ Gamma(q, v), and the mean m of x orders, each
Gamma(p, nu), is Gamma(p x, nu x).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from retentioncast.models.arrays import Floats, Integers
from retentioncast.models.btyd.compiled import compiled, digamma
from retentioncast.models.clv.individual.coordinates import (
    log_centre,
    log_centre_slope,
    log_variance,
    log_variance_slope,
)


@dataclass(frozen=True, slots=True, eq=False)
class SpendEffects:
    """Paying repeat buyers (n,), segment by segment from `edges` (segments + 1,): frequency and mean spend."""

    x: Floats
    m: Floats
    edges: Integers
    names: ClassVar[tuple[str, ...]] = ("spend_rate",)

    def __call__(self, theta: Floats, effects: Floats) -> tuple[float, Floats, Floats]:
        """Log density of customers and data at theta (segments, 3) and effects (1, n), with both gradients."""
        return density(np.exp(theta), self.edges, self.x, self.m, effects)

    def values(self, theta: Floats, effects: Floats) -> Floats:
        """nu (d, 1, n) for draws of theta (d, segments, 3) and effects (d, 1, n)."""
        return values(np.exp(theta), self.edges, self.x, self.m, effects)


@compiled
def placed(parameters: Floats, x: float, m: float, u: float) -> float:
    """log nu of a customer at the coordinate u."""
    p, q, v = parameters
    k = q + p * x
    return log_centre(k) - math.log(v + x * m) + math.sqrt(log_variance(k)) * u


@compiled
def values(parameters: Floats, edges: Integers, x: Floats, m: Floats, effects: Floats) -> Floats:
    """nu (d, 1, n) for d draws."""
    found = np.empty_like(effects)
    for d in range(len(parameters)):
        for s in range(parameters.shape[1]):
            for i in range(edges[s], edges[s + 1]):
                found[d, 0, i] = math.exp(placed(parameters[d, s], x[i], m[i], effects[d, 0, i]))
    return found


@compiled
def density(parameters: Floats, edges: Integers, x: Floats, m: Floats, effects: Floats) -> tuple[float, Floats, Floats]:
    """Log density, and its gradients in the logs of the parameters (segments, 3) and in the effects (1, n)."""
    gradient, by_effect, total = np.zeros_like(parameters), np.empty_like(effects), 0.0
    for s in range(len(parameters)):
        p, q, v = parameters[s]
        log_v, d_q = math.log(v), digamma(q)
        constant = q * log_v - math.lgamma(q)
        for i in range(edges[s], edges[s + 1]):
            u, n, spent = effects[0, i], x[i], x[i] * m[i]
            y = placed(parameters[s], n, m[i], u)
            k, rate = q + p * n, math.exp(y)
            spread = math.sqrt(log_variance(k))
            total += constant + k * y - (v + spent) * rate + math.log(spread)
            total += p * n * math.log(spent) - math.log(m[i]) - math.lgamma(p * n)
            by_y = k - (v + spent) * rate
            of_k = log_variance_slope(k) / (2.0 * spread)
            by_k = by_y * (log_centre_slope(k) + of_k * u) + of_k / spread + y
            by_effect[0, i] = by_y * spread
            gradient[s, 0] += n * (by_k + math.log(spent) - digamma(p * n))
            gradient[s, 1] += by_k + log_v - d_q
            gradient[s, 2] += q / v - rate - by_y / (v + spent)
        gradient[s] *= parameters[s]
    return total, gradient, by_effect
