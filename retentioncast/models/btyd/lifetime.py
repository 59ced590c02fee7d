"""What Pareto/NBD and Gamma-Gompertz/NBD share: a customer leaves at a time of its own, seen by nobody.

Purchases are Poisson at rate lambda ~ Gamma(r, alpha) until the customer leaves at tau. Over all customers
P(tau > t) = (1 + G(t) / beta)^-s with G(t) = (e^(b t) - 1) / b, or t at b = 0: see `leaving_time`.
"""

from __future__ import annotations

from abc import abstractmethod

import numpy as np
import pandas as pd

from retentioncast.models.arrays import Column, Floats
from retentioncast.models.btyd.covariate_model import CovariateModel
from retentioncast.models.btyd.covariates import Covariates, Effect
from retentioncast.models.btyd.leaving_time import leaves_first, silent_parts, time_alive
from retentioncast.models.btyd.purchase_columns import flat_apply, read_frequency, read_purchases
from retentioncast.models.btyd.purchase_counts import count_probabilities
from retentioncast.models.columns import read_column

#: r, alpha, s, beta, b, each () or (n, 1), with covariates (m,) or (n, m): ready to broadcast against customers.
Mixture = tuple[Floats, Floats, Floats, Floats, Floats]


class LifetimeModel(CovariateModel):
    """The predictions of a family that says its parameters as r, alpha, s, beta, b of the mixture."""

    effects = (Effect("rate", "alpha", -1), Effect("leaving", "beta", -1))

    @abstractmethod
    def _mixture(
        self, parameters: Floats | None, covariates: Covariates | None = None, frequency: Column = 0
    ) -> Mixture:
        """r, alpha, s, beta, b, broadcast like `_columns`, for customers of the frequency given."""

    @abstractmethod
    def _life(self, s: Floats, beta: Floats, b: Floats, age: Floats, rng: np.random.Generator) -> Floats:
        """Draws of the time that customers who are alive at age will still stay, all columns (n,)."""

    def probability_alive(
        self,
        frequency: Column,
        recency: Column,
        T: Column,
        parameters: Floats | None = None,
        covariates: Covariates | None = None,
    ) -> Floats:
        """P(alive at T) = P(stays and is silent in (t_x, T]) / P(is silent in (t_x, T])."""
        x, t_x, age = read_purchases(frequency, recency, T)
        stays, leaves = _silent(self._mixture(parameters, covariates, frequency), x, t_x, age)
        return np.asarray(stays / (stays + leaves))

    def probability_no_purchase(
        self,
        t: float,
        frequency: Column,
        recency: Column,
        T: Column,
        parameters: Floats | None = None,
        covariates: Covariates | None = None,
    ) -> Floats:
        """P(no purchase in (T, T + t]) = 1 - P(alive) (1 - P(silent in (T, T + t] | alive at T))."""
        x, _, age = read_purchases(frequency, recency, T)
        stays, leaves = _silent(self._mixture(parameters, covariates, frequency), x, age, age + t)
        buys_if_alive = np.maximum(1.0 - stays - leaves, 0.0)
        return np.asarray(1.0 - self.probability_alive(frequency, recency, T, parameters, covariates) * buys_if_alive)

    def leaves_first(self, frequency: Column, T: Column) -> Floats:
        """P(leaves before the next purchase | alive at T), of customers with so many repeat purchases."""
        x, age = read_frequency(frequency), read_column("T", T)
        r, alpha, s, beta, b = self._mixture(None)
        (chances,) = flat_apply(leaves_first, r + x, alpha, s, beta, b, age)
        return chances

    def expected_purchases(
        self,
        t: float,
        frequency: Column,
        recency: Column,
        T: Column,
        parameters: Floats | None = None,
        covariates: Covariates | None = None,
    ) -> Floats:
        """E[purchases in (T, T + t]] = P(alive) (r + x) / (alpha + T) E[time alive in (T, T + t]]."""
        x, _, age = read_purchases(frequency, recency, T)
        r, alpha, s, beta, b = self._mixture(parameters, covariates, frequency)
        (stays,) = flat_apply(time_alive, s, beta, b, age, age + t)
        alive = self.probability_alive(frequency, recency, T, parameters, covariates)
        return np.asarray(alive * (r + x) / (alpha + age) * stays)

    def expected_purchases_new(
        self, t: Column, parameters: Floats | None = None, covariates: Covariates | None = None
    ) -> Floats:
        """E[X(t)] = r / alpha E[time alive in (0, t]], repeat purchases of a new customer."""
        r, alpha, s, beta, b = self._mixture(parameters, covariates)
        (stays,) = flat_apply(time_alive, s, beta, b, 0.0, t)
        return np.asarray(r / alpha * stays)

    def purchases_pmf(
        self, n: Column, t: Column, parameters: Floats | None = None, covariates: Covariates | None = None
    ) -> Floats:
        """P(X(t) = n), repeat purchases of a new customer: NBD up to t, or up to the time of leaving."""
        r, alpha, s, beta, b = self._mixture(parameters, covariates)
        (chances,) = flat_apply(count_probabilities, r, alpha, s, beta, b, n, t)
        return chances

    def sample(self, n: int, T: Column, seed: int, covariates: Covariates | None = None) -> pd.DataFrame:
        """The generative twin: n customers of age T, with what nobody sees (`rate`, `lifetime`, `alive`)."""
        r, alpha, s, beta, b = self._mixture(None, covariates, np.zeros(n))
        rng = np.random.default_rng(seed)
        age = np.broadcast_to(np.asarray(T, dtype=np.float64), (n,))
        rate = rng.gamma(r, 1 / alpha, n)
        lifetime = self._life(s, beta, b, np.zeros(n), rng)
        active = np.minimum(lifetime, age)
        x = rng.poisson(rate * active)
        # The latest of x uniform times.
        t_x = np.where(x > 0, active * rng.random(n) ** (1 / np.maximum(x, 1)), 0.0)
        frame = {"frequency": x, "recency": t_x, "T": age, "rate": rate, "lifetime": lifetime, "alive": lifetime > age}
        sampled = pd.DataFrame(frame)
        sampled.attrs["time_unit"] = self.time_unit
        return sampled

    def sample_future(
        self,
        t: float,
        x: Floats,
        t_x: Floats,
        age: Floats,
        parameters: Floats,
        rng: np.random.Generator,
        covariates: Covariates | None = None,
    ) -> tuple[Floats, Floats]:
        """Orders in (T, T + t] for each draw and customer (n, m), and when the last of them falls as a share of t.

        Draws the customer's latent state exactly, given the parameters: alive with P(alive), then independently
        lambda ~ Gamma(r + x, alpha + T) and the time still to stay; orders are Poisson until then. Of those who leave
        within t the last order is told (the others fall uniformly before it); 1 where orders fall anywhere in t.
        """
        alive_probability = self.probability_alive(x, t_x, age, parameters, covariates)
        shape = alive_probability.shape
        r, alpha, s, beta, b = (np.broadcast_to(column, shape) for column in self._mixture(parameters, covariates, x))
        orders, end = np.zeros(shape), np.ones(shape)
        here = np.nonzero(rng.random(shape) < alive_probability)
        ages = age[here[1]]
        rate = rng.gamma(r[here] + x[here[1]]) / (alpha[here] + ages)
        share = np.minimum(self._life(s[here], beta[here], b[here], ages, rng) / t, 1.0)
        made = rng.poisson(rate * share * t)
        latest = share * rng.random(made.size) ** (1 / np.maximum(made, 1))
        orders[here] = made
        end[here] = np.where((share < 1) & (made > 0), latest, 1.0)
        return orders, end


def _silent(mixture: Mixture, x: Floats, start: Floats, end: Floats) -> tuple[Floats, Floats]:
    """P(stays and is silent in (start, end]) and P(leaves before a purchase), given alive at start with x purchases."""
    r, alpha, s, beta, b = mixture
    stays, leaves = flat_apply(silent_parts, r + x, alpha, s, beta, b, start, end)
    return stays, leaves
