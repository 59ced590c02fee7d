"""What BG/NBD and MBG/NBD share: a customer may leave after a purchase, and they differ in whether the first counts.

A customer buys at rate lambda ~ Gamma(r, alpha) and leaves after a purchase with probability p ~ Beta(a, b). With x
repeat purchases there were x chances to leave (BG), or x + 1 with the first purchase (MBG).
"""

from __future__ import annotations

from abc import abstractmethod

import numpy as np
import pandas as pd
from scipy.special import betainc, betaln, expit, gammaln

from retentioncast.models.arrays import Column, Floats, Integers
from retentioncast.models.btyd.alive_purchases import purchases_while_alive
from retentioncast.models.btyd.covariate_model import CovariateModel, RunKernel
from retentioncast.models.btyd.covariates import Covariates, Effect
from retentioncast.models.btyd.dropout_kernels import alive_by_draws, log_likelihood_of_runs
from retentioncast.models.btyd.dropout_likelihood import log_likelihood_of_shared, share_parts
from retentioncast.models.btyd.grouping import group_rows
from retentioncast.models.btyd.purchase_columns import read_purchases


class DropoutModel(CovariateModel):
    """Parameters r, alpha (in `time_unit`), a, b; a family says whether one may leave after the first purchase."""

    parameter_names = ("r", "alpha", "a", "b")
    starts = ((1.0, 1.0, 1.0, 1.0), (0.3, 0.1, 0.5, 2.0), (3.0, 3.0, 0.1, 1.0), (0.5, 0.5, 3.0, 10.0))
    powers_of_time = (0, 1, 0, 0)
    effects = (Effect("rate", "alpha", -1), Effect("a", "a", 1), Effect("b", "b", 1))

    @property
    @abstractmethod
    def first_chances(self) -> int:
        """Chances to leave before the first repeat purchase: 0 (BG) or 1 (MBG)."""

    def _run_kernel(self, x: Floats, t_x: Floats, age: Floats, weights: Floats, edges: Integers) -> RunKernel:
        first = float(self.first_chances)
        if len(edges) > 2:
            return lambda scaled: log_likelihood_of_runs(scaled, edges, x, t_x, age, weights, first)
        rows = share_parts(x, t_x, age, weights)

        def of_all(scaled: Floats) -> tuple[float, Floats]:
            value, gradient = log_likelihood_of_shared(scaled[0], rows, first)
            return value, gradient[None, :]

        return of_all

    def probability_alive(
        self,
        frequency: Column,
        recency: Column,
        T: Column,
        parameters: Floats | None = None,
        covariates: Covariates | None = None,
    ) -> Floats:
        """P(alive at T): 1 for whoever had no chance to leave yet."""
        x, t_x, age = read_purchases(frequency, recency, T)
        r, alpha, a, b = self._columns(parameters, covariates, frequency)
        chances = x + self.first_chances
        if r.ndim == 2 and covariates is None and x.ndim == 1:
            place, recencies = pd.factorize(t_x)
            return alive_by_draws(r[:, 0], alpha[:, 0], a[:, 0], b[:, 0], x + 0, recencies, place, age + 0, chances)
        odds = np.log(a) - np.log(b + np.maximum(chances, 1) - 1) + (r + x) * np.log((alpha + age) / (alpha + t_x))
        return np.asarray(np.where(chances == 0, 1.0, expit(-odds)))

    def probability_no_purchase(
        self,
        t: float,
        frequency: Column,
        recency: Column,
        T: Column,
        parameters: Floats | None = None,
        covariates: Covariates | None = None,
    ) -> Floats:
        """P(no purchase in (T, T + t]) = 1 - P(alive) (1 - ((alpha + T) / (alpha + T + t))^(r + x)).

        A customer who is alive can only leave after a purchase, so is silent with E[exp(-lambda t)] over
        lambda ~ Gamma(r + x, alpha + T).
        """
        x, _, age = read_purchases(frequency, recency, T)
        r, alpha, _, _ = self._columns(parameters, covariates, frequency)
        buys_if_alive = -np.expm1(-(r + x) * np.log1p(t / (alpha + age)))
        return np.asarray(1.0 - self.probability_alive(frequency, recency, T, parameters, covariates) * buys_if_alive)

    def expected_purchases(
        self,
        t: float,
        frequency: Column,
        recency: Column,
        T: Column,
        parameters: Floats | None = None,
        covariates: Covariates | None = None,
    ) -> Floats:
        """E[purchases in (T, T + t]] = P(alive) E[(1 - e^(-lambda p t)) / p]."""
        alive = self.probability_alive(frequency, recency, T, parameters, covariates)
        x, _, age = read_purchases(frequency, recency, T)
        return np.asarray(alive * self.expected_purchases_if_alive(t, x, age, parameters, covariates))

    def expected_purchases_if_alive(
        self, t: float, x: Floats, age: Floats, parameters: Floats | None = None, covariates: Covariates | None = None
    ) -> Floats:
        """E[purchases in (T, T + t] | alive at T] of checked columns: it depends on x and T alone."""
        r, alpha, a, b = self._columns(parameters, covariates, x)
        if covariates is not None or x.ndim != 1:
            return purchases_while_alive(r + x, a, b + x + self.first_chances, t / (alpha + age))
        alike = group_rows((x, age))
        x, age = alike.columns
        while_alive = purchases_while_alive(r + x, a, b + x + self.first_chances, t / (alpha + age))
        return np.asarray(while_alive[..., alike.group_of_row])

    def expected_purchases_new(
        self, t: Column, parameters: Floats | None = None, covariates: Covariates | None = None
    ) -> Floats:
        """E[X(t)], repeat purchases of a new customer within t of the first purchase."""
        r, alpha, a, b = self._columns(parameters, covariates)
        first = self.first_chances
        stays = b / (a + b) if first else 1.0
        return np.asarray(stays * purchases_while_alive(r, a, b + first, np.asarray(t, dtype=np.float64) / alpha))

    def purchases_pmf(
        self, n: Column, t: Column, parameters: Floats | None = None, covariates: Covariates | None = None
    ) -> Floats:
        """P(X(t) = n), repeat purchases of a new customer within t: still there, or gone after the n-th."""
        r, alpha, a, b = self._columns(parameters, covariates)
        k, share = np.asarray(n, dtype=np.float64), np.asarray(t, dtype=np.float64)
        share = share / (alpha + share)
        chances = k + self.first_chances
        stays = np.exp(betaln(a, b + chances) - betaln(a, b) + gammaln(r + k) - gammaln(r) - gammaln(k + 1))
        made = np.where(k == 0, 1.0, betainc(np.maximum(k, 1), r, share))
        leaves = np.exp(betaln(a + 1, b + np.maximum(chances, 1) - 1) - betaln(a, b)) * made
        return np.asarray(stays * (1 - share) ** r * share**k + np.where(chances > 0, leaves, 0.0))

    def sample(self, n: int, T: Column, seed: int, covariates: Covariates | None = None) -> pd.DataFrame:
        """The generative twin: n customers of age T, with what nobody sees (`rate`, `dropout`, `alive`)."""
        r, alpha, a, b = self._columns(None, covariates, np.zeros(n))
        rng = np.random.default_rng(seed)
        age = np.broadcast_to(np.asarray(T, dtype=np.float64), (n,))
        rate, dropout = rng.gamma(r, 1 / alpha, n), np.clip(rng.beta(a, b, n), 1e-12, 1.0)
        wanted, lasts = rng.poisson(rate * age), rng.geometric(dropout) - self.first_chances
        x = np.minimum(wanted, lasts)
        # The x-th of `wanted` uniform times is Beta(x, wanted + 1 - x).
        t_x = np.where(x > 0, rng.beta(np.maximum(x, 1), wanted + 1 - x) * age, 0.0)
        frame = {"frequency": x, "recency": t_x, "T": age, "rate": rate, "dropout": dropout, "alive": lasts > wanted}
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

        Draws the customer's latent state exactly, given the parameters: alive with P(alive), then
        lambda ~ Gamma(r + x, alpha + T) and p ~ Beta(a, b + chances); orders are Poisson until one of them is the last.
        """
        alive_probability = self.probability_alive(x, t_x, age, parameters, covariates)
        shape = alive_probability.shape
        r, alpha, a, b = (np.broadcast_to(column, shape) for column in self._columns(parameters, covariates, x))
        orders, end = np.zeros(shape), np.ones(shape)
        here = np.nonzero(rng.random(shape) < alive_probability)
        rate = rng.gamma(r[here] + x[here[1]]) / (alpha[here] + age[here[1]])
        wanted = rng.poisson(rate * t)
        buying = wanted > 0
        here, wanted = (here[0][buying], here[1][buying]), wanted[buying]
        dropout = np.clip(rng.beta(a[here], b[here] + x[here[1]] + self.first_chances), 1e-12, 1.0)
        lasts = rng.geometric(dropout)
        made = np.minimum(wanted, lasts)
        orders[here] = made
        end[here] = np.where(lasts <= wanted, rng.beta(made, wanted + 1 - made), 1.0)
        return orders, end
