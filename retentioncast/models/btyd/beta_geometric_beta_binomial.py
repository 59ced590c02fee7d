"""BG/BB: at each opportunity (a week's market, a yearly appeal) a customer buys or not, until it leaves for good.

Fader, Hardie & Shang (2010), "Customer-base analysis in a discrete-time noncontractual setting", Marketing Sci. 29(6).
While alive a customer buys with probability p ~ Beta(alpha, beta); before each opportunity it leaves with probability
theta ~ Beta(gamma, delta). The log likelihood is their eq. 5, P(X(n) = x) eq. 8, E[X(n)] eq. 9; P(alive) is that of
being alive at the last opportunity seen (eq. 11 gives that of being alive at the next).
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import betaln

from retentioncast.models.arrays import Column, Floats
from retentioncast.models.btyd.grouping import Groups
from retentioncast.models.btyd.likelihood import Likelihood
from retentioncast.models.btyd.opportunities import count_probabilities, log_likelihood, silent_parts, times_alive
from retentioncast.models.btyd.purchase_columns import flat_apply, read_opportunities
from retentioncast.models.btyd.repeat_buying import RepeatBuyingModel

#: (alpha, beta, gamma, delta).
_STARTS = ((1.0, 1.0, 1.0, 3.0), (0.5, 2.0, 0.3, 1.0), (2.0, 5.0, 3.0, 20.0))


class BetaGeometricBetaBinomial(RepeatBuyingModel):
    """BG/BB with parameters alpha, beta, gamma, delta.

    Columns count opportunities since the first purchase: `T` how many there were, `recency` the latest that was taken,
    `frequency` how many were taken; horizons are rounded down to whole opportunities. Predictions take numbers or
    columns of m customers, or with `parameters` (n, 4) of `draw_parameters` give (n, m).

    >>> model = BetaGeometricBetaBinomial()
    >>> model.params_ = {"alpha": 1.204, "beta": 0.750, "gamma": 0.657, "delta": 2.783}
    >>> model.expected_purchases(5, 6, 6, 6).round(2)
    np.float64(3.75)
    """

    family = "BG/BB"
    parameter_names = ("alpha", "beta", "gamma", "delta")
    read_columns = staticmethod(read_opportunities)

    def _likelihood(self, groups: Groups) -> Likelihood:
        x, t_x, n = groups.columns
        w = groups.weights

        def kernel(parameters: Floats) -> tuple[float, Floats]:
            return log_likelihood(parameters, x, t_x, n, w)

        return Likelihood(kernel, _STARTS, np.ones(4), 0.0, groups.size, float(w.sum()))

    def longest_age(self) -> float:
        """Opportunities, not time: a million."""
        return 1e6

    def probability_alive(
        self, frequency: Column, recency: Column, T: Column, parameters: Floats | None = None
    ) -> Floats:
        """P(alive at opportunity T) = P(stays and does not buy after t_x) / P(does not buy after t_x)."""
        x, t_x, n = read_opportunities(frequency, recency, T)
        alpha, beta, gamma, delta = self._columns(parameters)
        stays, leaves = flat_apply(silent_parts, alpha + x, beta + t_x - x, gamma, delta + t_x, n - t_x)
        return np.asarray(stays / (stays + leaves))

    def probability_no_purchase(
        self, t: float, frequency: Column, recency: Column, T: Column, parameters: Floats | None = None
    ) -> Floats:
        """P(no purchase at the next t opportunities) = 1 - P(alive) (1 - P(no purchase | alive at T))."""
        x, _, n = read_opportunities(frequency, recency, T)
        alpha, beta, gamma, delta = self._columns(parameters)
        stays, leaves = flat_apply(silent_parts, alpha + x, beta + n - x, gamma, delta + n, np.floor(t))
        buys_if_alive = np.maximum(1.0 - stays - leaves, 0.0)
        return np.asarray(1.0 - self.probability_alive(frequency, recency, T, parameters) * buys_if_alive)

    def expected_purchases(
        self, t: float, frequency: Column, recency: Column, T: Column, parameters: Floats | None = None
    ) -> Floats:
        """E[purchases at the next t opportunities] (eq. 13): P(alive) E[p] E[opportunities still alive]."""
        x, _, n = read_opportunities(frequency, recency, T)
        alpha, beta, gamma, delta = self._columns(parameters)
        (stays,) = flat_apply(times_alive, gamma, delta + n, np.floor(t))
        alive = self.probability_alive(frequency, recency, T, parameters)
        return np.asarray(alive * (alpha + x) / (alpha + beta + n) * stays)

    def expected_purchases_new(self, t: Column, parameters: Floats | None = None) -> Floats:
        """E[X(t)], purchases of a new customer at the t opportunities after the first purchase."""
        alpha, beta, gamma, delta = self._columns(parameters)
        (stays,) = flat_apply(times_alive, gamma, delta, np.floor(np.asarray(t, dtype=np.float64)))
        return np.asarray(alpha / (alpha + beta) * stays)

    def purchases_pmf(self, n: Column, t: Column, parameters: Floats | None = None) -> Floats:
        """P(X(t) = n), purchases of a new customer at t opportunities."""
        alpha, beta, gamma, delta = self._columns(parameters)
        opportunities = np.floor(np.asarray(t, dtype=np.float64))
        constant = -betaln(alpha, beta) - betaln(gamma, delta)
        (chances,) = flat_apply(count_probabilities, alpha, beta, gamma, delta, n, opportunities, constant)
        return chances

    def sample(self, n: int, T: Column, seed: int) -> pd.DataFrame:
        """The generative twin: n customers of T opportunities, with what nobody sees (`buying`, `dropout`, `alive`)."""
        alpha, beta, gamma, delta = self._fitted_values()
        rng = np.random.default_rng(seed)
        age = np.broadcast_to(np.floor(np.asarray(T, dtype=np.float64)), (n,))
        buying, dropout = _inside(rng.beta(alpha, beta, n)), _inside(rng.beta(gamma, delta, n))
        lasts = rng.geometric(dropout) - 1.0
        x, t_x = _taken(np.minimum(lasts, age), buying, rng)
        frame = {"frequency": x, "recency": t_x, "T": age, "buying": buying, "dropout": dropout, "alive": lasts >= age}
        sampled = pd.DataFrame(frame)
        sampled.attrs["time_unit"] = self.time_unit
        return sampled

    def sample_future(
        self, t: float, x: Floats, t_x: Floats, age: Floats, parameters: Floats, rng: np.random.Generator
    ) -> tuple[Floats, Floats]:
        """Purchases at the next t opportunities for each draw and customer (n, m), and when the last falls, of t.

        Draws the customer's latent state exactly, given the parameters: alive with P(alive), then
        p ~ Beta(alpha + x, beta + T - x) and theta ~ Beta(gamma, delta + T). Of those who leave within t the last
        purchase is told; 1 where purchases fall anywhere in t.
        """
        alive_probability = self.probability_alive(x, t_x, age, parameters)
        shape = alive_probability.shape
        alpha, beta, gamma, delta = (np.broadcast_to(column, shape) for column in self._columns(parameters))
        orders, end = np.zeros(shape), np.ones(shape)
        here = np.nonzero(rng.random(shape) < alive_probability)
        taken, passed = x[here[1]], age[here[1]] - x[here[1]]
        buying = _inside(rng.beta(alpha[here] + taken, beta[here] + passed))
        lasts = rng.geometric(_inside(rng.beta(gamma[here], delta[here] + taken + passed))) - 1.0
        made, latest = _taken(np.minimum(lasts, np.floor(t)), buying, rng)
        orders[here] = made
        end[here] = np.where((lasts < np.floor(t)) & (made > 0), latest / t, 1.0)
        return orders, end


def _inside(probability: Floats) -> Floats:
    """Probabilities that geometric draws can bear."""
    return np.clip(probability, 1e-12, 1.0)


def _taken(active: Floats, buying: Floats, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """How many of the active opportunities are taken, and the last of them (0 for none): looking back from the end."""
    latest = np.maximum(active - rng.geometric(buying) + 1.0, 0.0)
    before = rng.binomial(np.maximum(latest - 1, 0).astype(np.int64), buying)
    return np.where(latest > 0, before + 1.0, 0.0), latest
