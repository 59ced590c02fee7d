"""BG/NBD with each customer's purchase rate lambda and dropout probability p as parameters of their own.

lambda ~ Gamma(r, alpha), p ~ Beta(a, b) with the parameters of the customer's segment. Given both, what was seen has
the likelihood of Fader, Hardie & Lee (2005), "Counting your customers the easy way", eq. 3:

    L = (1 - p)^x lambda^x e^(-lambda T)  +  [x > 0] p (1 - p)^(x - 1) lambda^x e^(-lambda t_x)
        still there                          gone after the latest purchase
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
class PurchaseEffects:
    """Customers (n,), segment by segment from `edges` (segments + 1,): frequency, recency and T."""

    x: Floats
    t_x: Floats
    age: Floats
    edges: Integers
    names: ClassVar[tuple[str, ...]] = ("purchase_rate", "dropout")

    def __call__(self, theta: Floats, effects: Floats) -> tuple[float, Floats, Floats]:
        """Log density of customers and data at theta (segments, 4) and effects (2, n), with both gradients."""
        return density(np.exp(theta), self.edges, self.x, self.t_x, self.age, effects)

    def values(self, theta: Floats, effects: Floats) -> Floats:
        """lambda and p (d, 2, n) for draws of theta (d, segments, 4) and effects (d, 2, n)."""
        return values(np.exp(theta), self.edges, self.x, self.t_x, self.age, effects)


@compiled
def placed(parameters: Floats, x: float, t_x: float, age: float, u: float, w: float) -> tuple[float, float]:
    """log lambda and logit p of a customer at the coordinates (u, w), half of whose time since t_x counts."""
    r, alpha, a, b = parameters
    half = 0.5 if x > 0 else 0.0
    k, stayed, left = r + x, b + x - half, a + half
    log_rate = log_centre(k) - math.log(alpha + age - half * (age - t_x)) + math.sqrt(log_variance(k)) * u
    spread = math.sqrt(log_variance(left) + log_variance(stayed))
    return log_rate, log_centre(left) - log_centre(stayed) + spread * w


@compiled
def log_sigmoid(q: float) -> float:
    """log(1 / (1 + e^-q))."""
    return min(q, 0.0) - math.log1p(math.exp(-abs(q)))


@compiled
def values(parameters: Floats, edges: Integers, x: Floats, t_x: Floats, age: Floats, effects: Floats) -> Floats:
    """lambda and p (d, 2, n) for d draws."""
    found = np.empty_like(effects)
    for d in range(len(parameters)):
        for s in range(parameters.shape[1]):
            for i in range(edges[s], edges[s + 1]):
                log_rate, logit = placed(parameters[d, s], x[i], t_x[i], age[i], effects[d, 0, i], effects[d, 1, i])
                found[d, 0, i] = math.exp(log_rate)
                found[d, 1, i] = math.exp(log_sigmoid(logit))
    return found


@compiled
def density(
    parameters: Floats, edges: Integers, x: Floats, t_x: Floats, age: Floats, effects: Floats
) -> tuple[float, Floats, Floats]:
    """Log density, and its gradients in the logs of the parameters (segments, 4) and in the effects (2, n)."""
    gradient, by_effect, total = np.zeros_like(parameters), np.empty_like(effects), 0.0
    for s in range(len(parameters)):
        r, alpha, a, b = parameters[s]
        log_alpha, d_r, d_both = math.log(alpha), digamma(r), digamma(a + b)
        d_a, d_b = d_both - digamma(a), d_both - digamma(b)
        constant = r * log_alpha - math.lgamma(r) + math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
        for i in range(edges[s], edges[s + 1]):
            u, w, n = effects[0, i], effects[1, i], x[i]
            y, q = placed(parameters[s], n, t_x[i], age[i], u, w)
            half = 0.5 if n > 0 else 0.0
            k, stayed, left = r + n, b + n - half, a + half
            rate, log_p, log_stay = math.exp(y), log_sigmoid(q), log_sigmoid(-q)
            p = math.exp(log_p)
            # The customer's own law, and eq. 3; `alive` is the share of its first term.
            total += constant + (r + n) * y - alpha * rate + a * log_p + b * log_stay
            alive = 1.0
            if n > 0:
                odds = log_p - log_stay + rate * (age[i] - t_x[i])  # of having gone
                alive = math.exp(log_sigmoid(-odds))
                total += n * log_stay - rate * age[i] - log_sigmoid(-odds)
            else:
                total -= rate * age[i]
            by_y = k - rate * (alpha + alive * age[i] + (1.0 - alive) * t_x[i])
            by_q = (a + 1.0 - alive) * (1.0 - p) - (b + n - 1.0 + alive) * p
            # The way from the coordinates: y = centre + spread u, q likewise, and the log of both spreads.
            spread, wide = math.sqrt(log_variance(k)), math.sqrt(log_variance(left) + log_variance(stayed))
            total += math.log(spread) + math.log(wide)
            of_k = log_variance_slope(k) / (2.0 * spread)
            of_left, of_stayed = log_variance_slope(left) / (2.0 * wide), log_variance_slope(stayed) / (2.0 * wide)
            by_effect[0, i], by_effect[1, i] = by_y * spread, by_q * wide
            gradient[s, 0] += by_y * (log_centre_slope(k) + of_k * u) + of_k / spread + log_alpha - d_r + y
            gradient[s, 1] += r / alpha - rate - by_y / (alpha + age[i] - half * (age[i] - t_x[i]))
            gradient[s, 2] += by_q * (log_centre_slope(left) + of_left * w) + of_left / wide + log_p + d_a
            gradient[s, 3] += by_q * (of_stayed * w - log_centre_slope(stayed)) + of_stayed / wide + log_stay + d_b
        gradient[s] *= parameters[s]
    return total, gradient, by_effect
