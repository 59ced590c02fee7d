"""BG/NBD: purchases are Poisson while alive, and after each purchase a customer may leave for good.

Fader, Hardie & Lee (2005), "Counting your customers the easy way", Marketing Science 24(2). A customer buys at rate
lambda ~ Gamma(r, alpha) and leaves after a purchase with probability p ~ Beta(a, b). Equation numbers are the paper's.
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from scipy.special import betainc, betaln, expit, gammaln

from retentioncast.models.arrays import Column, Floats
from retentioncast.models.btyd.alive_purchases import purchases_while_alive
from retentioncast.models.btyd.compiled import compiled, digamma
from retentioncast.models.btyd.grouping import Groups
from retentioncast.models.btyd.likelihood import Likelihood
from retentioncast.models.btyd.purchase_columns import read_purchases
from retentioncast.models.btyd.repeat_buying import RepeatBuyingModel

#: (r, alpha, a, b), with time scaled to a mean T of 1.
_STARTS = ((1.0, 1.0, 1.0, 1.0), (0.3, 0.1, 0.5, 2.0), (3.0, 3.0, 0.1, 1.0), (0.5, 0.5, 3.0, 10.0))


class BetaGeo(RepeatBuyingModel):
    """BG/NBD with parameters r, alpha (in `time_unit`), a, b.

    Predictions take numbers or columns of m customers, or with `parameters` (n, 4) of `draw_parameters` give (n, m).

    >>> model = BetaGeo().fit([2, 1, 0] * 10, [30.4, 1.7, 0.0] * 10, [38.9, 38.9, 38.9] * 10)
    >>> sorted(model.params_)
    ['a', 'alpha', 'b', 'r']
    """

    family = "BG/NBD"
    parameter_names = ("r", "alpha", "a", "b")

    def _likelihood(self, groups: Groups) -> Likelihood:
        x, t_x, age = groups.columns
        w = groups.weights
        n = float(w.sum())
        unit = float(w @ age / n)

        def kernel(scaled: Floats) -> tuple[float, Floats]:
            return log_likelihood(scaled, x, t_x / unit, age / unit, w)

        units = np.array([1.0, unit, 1.0, 1.0])
        return Likelihood(kernel, _STARTS, units, float(w @ x) * math.log(unit), groups.size, n)

    def probability_alive(
        self, frequency: Column, recency: Column, T: Column, parameters: Floats | None = None
    ) -> Floats:
        """P(alive at T): 1 for one-time buyers, who had none to leave after (Fader, Hardie & Lee 2008, eq. 5)."""
        x, t_x, age = read_purchases(frequency, recency, T)
        r, alpha, a, b = self._columns(parameters)
        odds = np.log(a) - np.log(b + np.maximum(x, 1) - 1) + (r + x) * np.log((alpha + age) / (alpha + t_x))
        return np.asarray(np.where(x == 0, 1.0, expit(-odds)))

    def probability_no_purchase(
        self, t: float, frequency: Column, recency: Column, T: Column, parameters: Floats | None = None
    ) -> Floats:
        """P(no purchase in (T, T + t]) = 1 - P(alive) (1 - ((alpha + T) / (alpha + T + t))^(r + x)).

        A customer who is alive can only leave after a purchase, so is silent with E[exp(-lambda t)] over
        lambda ~ Gamma(r + x, alpha + T).
        """
        x, _, age = read_purchases(frequency, recency, T)
        r, alpha, _, _ = self._columns(parameters)
        buys_if_alive = -np.expm1(-(r + x) * np.log1p(t / (alpha + age)))
        return np.asarray(1.0 - self.probability_alive(frequency, recency, T, parameters) * buys_if_alive)

    def expected_purchases(
        self, t: float, frequency: Column, recency: Column, T: Column, parameters: Floats | None = None
    ) -> Floats:
        """E[purchases in (T, T + t]] (eq. 10)."""
        x, _, age = read_purchases(frequency, recency, T)
        r, alpha, a, b = self._columns(parameters)
        while_alive = purchases_while_alive(r + x, a, b + x, t / (alpha + age))
        return np.asarray(self.probability_alive(frequency, recency, T, parameters) * while_alive)

    def expected_purchases_new(self, t: Column, parameters: Floats | None = None) -> Floats:
        """E[X(t)], repeat purchases of a new customer within t of the first purchase (eq. 9)."""
        r, alpha, a, b = self._columns(parameters)
        return purchases_while_alive(r, a, b, np.asarray(t, dtype=np.float64) / alpha)

    def purchases_pmf(self, n: Column, t: Column, parameters: Floats | None = None) -> Floats:
        """P(X(t) = n), repeat purchases of a new customer within t (eq. 8)."""
        r, alpha, a, b = self._columns(parameters)
        k, share = np.asarray(n, dtype=np.float64), np.asarray(t, dtype=np.float64)
        share = share / (alpha + share)
        stays = np.exp(betaln(a, b + k) - betaln(a, b) + gammaln(r + k) - gammaln(r) - gammaln(k + 1))
        at_least_one = np.maximum(k, 1)
        leaves = np.exp(betaln(a + 1, b + at_least_one - 1) - betaln(a, b)) * betainc(at_least_one, r, share)
        return np.asarray(stays * (1 - share) ** r * share**k + np.where(k > 0, leaves, 0.0))

    def sample(self, n: int, T: Column, seed: int) -> pd.DataFrame:
        """The generative twin: n customers of age T, with what nobody sees (`rate`, `dropout`, `alive`)."""
        r, alpha, a, b = self._fitted_values()
        rng = np.random.default_rng(seed)
        age = np.broadcast_to(np.asarray(T, dtype=np.float64), (n,))
        rate, dropout = rng.gamma(r, 1 / alpha, n), np.clip(rng.beta(a, b, n), 1e-12, 1.0)
        wanted, lasts = rng.poisson(rate * age), rng.geometric(dropout)
        x = np.minimum(wanted, lasts)
        # The x-th of `wanted` uniform times is Beta(x, wanted + 1 - x).
        t_x = np.where(x > 0, rng.beta(np.maximum(x, 1), wanted + 1 - x) * age, 0.0)
        frame = {"frequency": x, "recency": t_x, "T": age, "rate": rate, "dropout": dropout, "alive": lasts > wanted}
        sampled = pd.DataFrame(frame)
        sampled.attrs["time_unit"] = self.time_unit
        return sampled

    def sample_future(
        self, t: float, x: Floats, t_x: Floats, age: Floats, parameters: Floats, rng: np.random.Generator
    ) -> tuple[Floats, Floats]:
        """Orders in (T, T + t] for each draw and customer (n, m), and when the last of them falls as a share of t.

        Draws the customer's latent state exactly, given the parameters: alive with P(alive), then
        lambda ~ Gamma(r + x, alpha + T) and p ~ Beta(a, b + x); orders are Poisson until one of them is the last.
        """
        r, alpha, a, b = self._columns(parameters)
        alive_probability = self.probability_alive(x, t_x, age, parameters)
        orders, end = np.zeros(alive_probability.shape), np.ones(alive_probability.shape)
        draw, customer = np.nonzero(rng.random(alive_probability.shape) < alive_probability)
        rate = rng.gamma(r[draw, 0] + x[customer]) / (alpha[draw, 0] + age[customer])
        wanted = rng.poisson(rate * t)
        buying = wanted > 0
        draw, customer, wanted = draw[buying], customer[buying], wanted[buying]
        dropout = np.clip(rng.beta(a[draw, 0], b[draw, 0] + x[customer]), 1e-12, 1.0)
        lasts = rng.geometric(dropout)
        made = np.minimum(wanted, lasts)
        orders[draw, customer] = made
        end[draw, customer] = np.where(lasts <= wanted, rng.beta(made, wanted + 1 - made), 1.0)
        return orders, end


@compiled
def log_likelihood(parameters: Floats, x: Floats, t_x: Floats, age: Floats, weights: Floats) -> tuple[float, Floats]:
    """Weighted log likelihood (eq. 6) and its gradient (4,) in r, alpha, a, b. Rows sorted by x cost least."""
    r, alpha, a, b = parameters
    gradient = np.zeros(4)
    total, last_x = 0.0, -1.0
    constant, d_r, d_a, d_b = 0.0, 0.0, 0.0, 0.0
    for i in range(x.size):
        n = x[i]
        if n != last_x:  # what depends on x alone
            constant = math.lgamma(r + n) - math.lgamma(r) + r * math.log(alpha)
            constant += math.lgamma(b + n) - math.lgamma(b) - math.lgamma(a + b + n) + math.lgamma(a + b)
            d_r = digamma(r + n) - digamma(r) + math.log(alpha)
            d_a = digamma(a + b) - digamma(a + b + n)
            d_b = digamma(b + n) - digamma(b) + d_a
            last_x = n
        log_age = math.log(alpha + age[i])
        term, g_r, g_a, g_b = constant - (r + n) * log_age, d_r - log_age, d_a, d_b
        g_alpha = r / alpha - (r + n) / (alpha + age[i])
        if n > 0:  # the customer may have left at t_x: log(1 + e^odds), w = P(left)
            log_recency = math.log(alpha + t_x[i])
            odds = math.log(a) - math.log(b + n - 1) + (r + n) * (log_age - log_recency)
            tail = math.exp(-abs(odds))
            term += max(odds, 0.0) + math.log1p(tail)
            w = 1 / (1 + tail) if odds > 0 else tail / (1 + tail)
            g_r += w * (log_age - log_recency)
            g_alpha += w * (r + n) * (1 / (alpha + age[i]) - 1 / (alpha + t_x[i]))
            g_a += w / a
            g_b -= w / (b + n - 1)
        total += weights[i] * term
        gradient[0] += weights[i] * g_r
        gradient[1] += weights[i] * g_alpha
        gradient[2] += weights[i] * g_a
        gradient[3] += weights[i] * g_b
    return total, gradient
