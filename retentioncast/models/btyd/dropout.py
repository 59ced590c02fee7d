"""What BG/NBD and MBG/NBD share: a customer may leave after a purchase, and they differ in whether the first counts.

A customer buys at rate lambda ~ Gamma(r, alpha) and leaves after a purchase with probability p ~ Beta(a, b). With x
repeat purchases there were x chances to leave (BG), or x + 1 with the first purchase (MBG).
"""

from __future__ import annotations

import math
from abc import abstractmethod

import numpy as np
import pandas as pd
from scipy.special import betainc, betaln, expit, gammaln

from retentioncast.models.arrays import Column, Floats, Integers
from retentioncast.models.btyd.alive_purchases import purchases_while_alive
from retentioncast.models.btyd.compiled import compiled, digamma
from retentioncast.models.btyd.covariate_model import CovariateModel, RunKernel
from retentioncast.models.btyd.covariates import Covariates, Effect
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


@compiled
def alive_by_draws(
    r: Floats,
    alpha: Floats,
    a: Floats,
    b: Floats,
    x: Floats,
    recencies: Floats,
    place: Integers,
    age: Floats,
    chances: Floats,
) -> Floats:
    """P(alive at T) (n, m) for draws (n,) and customers (m,), whose t_x is `recencies[place]`.

    A third of the time of whole arrays: no logarithm is taken twice, least of all where neighbours share x and T.
    """
    result = np.empty((r.size, x.size))
    for k in range(r.size):
        log_recency = np.log(alpha[k] + recencies)
        log_age, log_ratio = 0.0, 0.0
        for i in range(x.size):
            if i == 0 or age[i] != age[i - 1]:
                log_age = math.log(alpha[k] + age[i])
            if i == 0 or chances[i] != chances[i - 1]:
                log_ratio = math.log(a[k]) - math.log(b[k] + max(chances[i], 1.0) - 1.0)
            odds = log_ratio + (r[k] + x[i]) * (log_age - log_recency[place[i]])
            result[k, i] = 1.0 if chances[i] == 0.0 else 1.0 / (1.0 + math.exp(odds))
    return result


@compiled
def log_likelihood(
    parameters: Floats, x: Floats, t_x: Floats, age: Floats, weights: Floats, first: float
) -> tuple[float, Floats]:
    """Weighted log likelihood and its gradient (4,) in r, alpha, a, b, with `first` chances to leave before x = 1.

    Rows sorted by x cost least. A row's term is log of
    Gamma(r + x) / Gamma(r) alpha^r (alpha + T)^-(r + x) B(a, b + c) / B(a, b) (1 + odds), where c = x + first,
    odds = a / (b + c - 1) ((alpha + T) / (alpha + t_x))^(r + x) that the customer left at t_x (0 where c = 0).
    """
    r, alpha, a, b = parameters
    gradient = np.zeros(4)
    total, last_x = 0.0, -1.0
    constant, d_r, d_a, d_b = 0.0, 0.0, 0.0, 0.0
    for i in range(x.size):
        n, chances = x[i], x[i] + first
        if n != last_x:  # what depends on x alone
            constant = math.lgamma(r + n) - math.lgamma(r) + r * math.log(alpha)
            constant += math.lgamma(b + chances) - math.lgamma(b) - math.lgamma(a + b + chances) + math.lgamma(a + b)
            d_r = digamma(r + n) - digamma(r) + math.log(alpha)
            d_a = digamma(a + b) - digamma(a + b + chances)
            d_b = digamma(b + chances) - digamma(b) + d_a
            last_x = n
        log_age = math.log(alpha + age[i])
        term, g_r, g_a, g_b = constant - (r + n) * log_age, d_r - log_age, d_a, d_b
        g_alpha = r / alpha - (r + n) / (alpha + age[i])
        if chances > 0:  # the customer may have left at t_x: log(1 + e^odds), w = P(left)
            log_recency = math.log(alpha + t_x[i])
            odds = math.log(a) - math.log(b + chances - 1) + (r + n) * (log_age - log_recency)
            tail = math.exp(-abs(odds))
            term += max(odds, 0.0) + math.log1p(tail)
            w = 1 / (1 + tail) if odds > 0 else tail / (1 + tail)
            g_r += w * (log_age - log_recency)
            g_alpha += w * (r + n) * (1 / (alpha + age[i]) - 1 / (alpha + t_x[i]))
            g_a += w / a
            g_b -= w / (b + chances - 1)
        total += weights[i] * term
        gradient[0] += weights[i] * g_r
        gradient[1] += weights[i] * g_alpha
        gradient[2] += weights[i] * g_a
        gradient[3] += weights[i] * g_b
    return total, gradient


@compiled
def log_likelihood_of_runs(
    parameters: Floats, edges: Integers, x: Floats, t_x: Floats, age: Floats, weights: Floats, first: float
) -> tuple[float, Floats]:
    """`log_likelihood` of runs of rows, each with its own parameters (p, 4): the sum, and the gradient (p, 4)."""
    gradient = np.empty_like(parameters)
    total = 0.0
    for i in range(len(parameters)):
        a, b = edges[i], edges[i + 1]
        value, of_run = log_likelihood(parameters[i], x[a:b], t_x[a:b], age[a:b], weights[a:b], first)
        total += value
        gradient[i] = of_run
    return total, gradient
