"""sBG: at each renewal a customer leaves with a probability of her own; those likely to leave are gone first.

Fader & Hardie (2007), "How to project customer retention", Journal of Interactive Marketing 21(1). A customer is lost
at each renewal with probability theta ~ Beta(alpha, beta). Several cohorts share alpha and beta: Fader & Hardie (2007),
"Fitting the sBG model to multi-cohort data". Residual lifetimes: Fader & Hardie (2010), "Customer-base valuation in a
contractual setting", Marketing Science 29(1). Who has survived m renewals has theta ~ Beta(alpha, beta + m): every
prediction for her is that for a new customer with beta + m.
"""

from __future__ import annotations

import math
from typing import Self, Unpack

import numpy as np
import pandas as pd
from scipy.special import hyp2f1

from retentioncast.core.errors import InvalidInput, NotEnoughData
from retentioncast.models.arrays import Column, Floats
from retentioncast.models.btyd.compiled import compiled, digamma
from retentioncast.models.btyd.grouping import Groups, group_rows
from retentioncast.models.btyd.likelihood import Likelihood
from retentioncast.models.btyd.likelihood_model import LikelihoodModel
from retentioncast.models.btyd.purchase_columns import from_frame, read_weights
from retentioncast.models.columns import refuse, same_length
from retentioncast.models.subscription.gamma_ratio import log_gamma_ratio
from retentioncast.models.subscription.renewals import (
    MIN_CUSTOMERS,
    RENEWAL_COLUMNS,
    read_cohorts,
    read_periods,
    read_renewals,
    require_enough,
)
from retentioncast.models.uncertainty.fitting import Fitting, method_of

#: Daily renewals for three centuries: what lies beyond would drag both parameters after it.
MOST_PERIODS = 1e5
_STARTS = ((1.0, 1.0), (0.7, 2.0), (0.3, 0.3), (3.0, 20.0))


class InvalidRate(InvalidInput, ValueError):
    """A discount rate below 0 (or one that is no number). Pass a rate a period, such as 0.1."""


class ShiftedBetaGeometric(LikelihoodModel):
    """sBG with parameters alpha and beta, fitted to single contracts (`fit`) or a table of cohorts (`fit_cohorts`).

    Predictions take numbers or columns of m values, or with `parameters` (n, 2) of `draw_parameters` give (n, m).

    >>> model = ShiftedBetaGeometric().fit_cohorts([[1000, 869, 743, 653, 593, 551, 517, 491]])
    >>> {name: round(value, 3) for name, value in model.params_.items()}
    {'alpha': 0.668, 'beta': 3.806}
    """

    parameter_names = ("alpha", "beta")

    def fit(
        self,
        periods: Column | pd.DataFrame,
        lost: Column | None = None,
        weights: Column | None = None,
        **how: Unpack[Fitting],
    ) -> Self:
        """Fit to renewals survived (n,) and 1 where the customer was lost at the next one, 0 where she is active.

        Or to a frame with the columns `periods` and `lost`. Customers may have been watched for different times: who
        is active after `periods` renewals is censored there. See `Fitting` for method, priors, start and seed.
        Raises InvalidColumn (a ValueError) for bad values. By maximum likelihood, NotEnoughData below 10 customers,
        without any loss or without a second renewal, and FitFailed when there is no maximum to be trusted (all
        customers alike: both parameters run off to infinity); with priors, these are all there is below 10 customers.
        """
        if isinstance(periods, pd.DataFrame):
            periods, lost = from_frame(periods, RENEWAL_COLUMNS)
        if lost is None:
            raise TypeError("fit takes periods and lost, or one frame with these columns")
        survived, gone = (np.atleast_1d(column) for column in read_renewals(periods, lost))
        same_length(periods=survived, lost=gone)
        refuse("periods", periods, survived, survived > MOST_PERIODS, "is more renewals than any contract has")
        return self._fit_renewals(survived, gone, read_weights(weights, survived.size), **how)

    def fit_cohorts(self, survivors: pd.DataFrame | Floats | list[list[float]], **how: Unpack[Fitting]) -> Self:
        """Fit to a retention table: a row a cohort, column t how many were active after t renewals, NaN: not yet seen.

        Cohorts share alpha and beta; each is censored where its row ends. Raises InvalidColumn with the period as the
        column and the cohort as the row; else as `fit`.
        """
        table = survivors if isinstance(survivors, pd.DataFrame) else pd.DataFrame(survivors)
        return self._fit_renewals(*read_cohorts(table), **how)

    def _fit_renewals(self, periods: Floats, lost: Floats, weights: Floats, **how: Unpack[Fitting]) -> Self:
        try:
            require_enough(periods, lost, weights)
        except NotEnoughData as missing:
            if method_of(how) == "mle" or weights.sum() < MIN_CUSTOMERS:
                return self._fit_priors(missing, **how)
        counted = weights > 0
        groups = group_rows((periods[counted], lost[counted]), weights[counted])
        return self._fit_groups(groups, **how)

    def _likelihood(self, groups: Groups) -> Likelihood:
        periods, lost = groups.columns
        weights = groups.weights

        def kernel(parameters: Floats) -> tuple[float, Floats]:
            return log_likelihood(parameters, periods, lost, weights)

        return Likelihood(kernel, _STARTS, np.ones(2), 0.0, groups.size, float(weights.sum()))

    def survival(self, t: Column, parameters: Floats | None = None) -> Floats:
        """S(t), the share active after t renewals (2007, eq. 6): B(alpha, beta + t) / B(alpha, beta)."""
        return self.probability_active(t, 0, parameters)

    def probability_active(self, t: Column, periods: Column, parameters: Floats | None = None) -> Floats:
        """P(active t renewals from now | active after `periods` renewals) = S(periods + t) / S(periods)."""
        ahead, survived = read_periods(t, "t"), read_periods(periods)
        alpha, beta = self._columns(parameters)
        return np.exp(_log_survival(alpha, beta + survived, ahead))

    def hazard(self, t: Column, parameters: Floats | None = None) -> Floats:
        """P(lost at renewal t | active before it), t = 1, 2, ...: alpha / (alpha + beta + t - 1)."""
        renewal = _read_renewal(t)
        alpha, beta = self._columns(parameters)
        return np.asarray(alpha / (alpha + beta + renewal - 1))

    def retention_rate(self, t: Column, parameters: Floats | None = None) -> Floats:
        """S(t) / S(t - 1), t = 1, 2, ... (2007, eq. 8): (beta + t - 1) / (alpha + beta + t - 1); rises with t."""
        renewal = _read_renewal(t)
        alpha, beta = self._columns(parameters)
        return np.asarray((beta + renewal - 1) / (alpha + beta + renewal - 1))

    def expected_lifetime(
        self, discount_rate: float = 0.0, horizon: int | None = None, parameters: Floats | None = None
    ) -> Floats:
        """Periods that a new customer stays, the first included: sum of S(t) / (1 + d)^t over t = 0, 1, ...

        With a rate it is the discounted expected lifetime (2010, eq. 5); `horizon` stops after so many periods. Without
        both it is (alpha + beta - 1) / (alpha - 1), infinite where alpha <= 1: few stay, but these for ever.
        """
        _check_rate(discount_rate)
        if horizon is not None:
            t = np.arange(horizon, dtype=np.float64)
            return np.asarray(self.survival(t, parameters) @ (1 + discount_rate) ** -t)
        alpha, beta = self._columns(parameters)
        return _discounted_sum(np.squeeze(alpha), np.squeeze(beta), discount_rate)

    def residual_lifetime(
        self, periods: Column, discount_rate: float = 0.0, parameters: Floats | None = None
    ) -> Floats:
        """DERL: periods still to come of a customer about to decide on the renewal after `periods` survived ones.

        Sum over the renewals ahead of P(made) / (1 + d)^k, the next with k = 0 (2010, eq. 6, whose n is periods + 1):
        r(n) 2F1(1, beta + n; alpha + beta + n; 1 / (1 + d)). Infinite at rate 0 where alpha <= 1.
        """
        _check_rate(discount_rate)
        survived = read_periods(periods)
        alpha, beta = self._columns(parameters)
        renews = (beta + survived) / (alpha + beta + survived)
        return np.asarray(renews * _discounted_sum(alpha, beta + survived + 1, discount_rate))

    def sample(self, n: int, periods: Column, seed: int) -> pd.DataFrame:
        """The generative twin: n customers watched for `periods` renewals, with what nobody sees (`churn`, `lifetime`).

        `lifetime` is the renewal at which the customer is lost, seen or not.
        """
        alpha, beta = self._fitted_values()
        rng = np.random.default_rng(seed)
        watched = np.broadcast_to(read_periods(periods), (n,))
        churn = np.clip(rng.beta(alpha, beta, n), 1e-12, 1.0)
        lifetime = rng.geometric(churn).astype(np.float64)
        survived = np.minimum(lifetime - 1, watched)
        frame = {"periods": survived, "lost": (lifetime <= watched).astype(np.float64)}
        return pd.DataFrame(frame | {"churn": churn, "lifetime": lifetime})


@compiled
def log_likelihood(parameters: Floats, periods: Floats, lost: Floats, weights: Floats) -> tuple[float, Floats]:
    """Weighted log likelihood (2007, eq. 5, 6) and its gradient (2,) in alpha and beta."""
    alpha, beta = parameters
    gradient = np.zeros(2)
    total = 0.0
    at_start, both = log_gamma_ratio(beta, alpha), digamma(alpha + beta)
    of_beta = both - digamma(beta)
    for i in range(periods.size):
        n = periods[i]
        after = digamma(alpha + beta + n)
        term, g_alpha = at_start - log_gamma_ratio(beta + n, alpha), both - after
        g_beta = of_beta - (after - digamma(beta + n))
        if lost[i] > 0:
            term += math.log(alpha / (alpha + beta + n))
            g_alpha += 1 / alpha - 1 / (alpha + beta + n)
            g_beta -= 1 / (alpha + beta + n)
        total += weights[i] * term
        gradient[0] += weights[i] * g_alpha
        gradient[1] += weights[i] * g_beta
    return total, gradient


def _log_survival(alpha: Floats, beta: Floats, t: Floats) -> Floats:
    columns = np.broadcast_arrays(alpha, beta, t)
    flat = [np.ascontiguousarray(column.ravel(), dtype=np.float64) for column in columns]
    return _log_survivals(*flat).reshape(columns[0].shape)


@compiled
def _log_survivals(alpha: Floats, beta: Floats, t: Floats) -> Floats:
    result = np.empty(t.size)
    for i in range(t.size):
        result[i] = log_gamma_ratio(beta[i], alpha[i]) - log_gamma_ratio(beta[i] + t[i], alpha[i])
    return result


def _discounted_sum(alpha: Floats, beta: Floats, rate: float) -> Floats:
    """Sum over t = 0, 1, ... of S(t) / (1 + rate)^t = 2F1(1, beta; alpha + beta; 1 / (1 + rate))."""
    if rate > 0:
        return np.asarray(hyp2f1(1.0, beta, alpha + beta, 1 / (1 + rate)))
    with np.errstate(divide="ignore"):
        return np.asarray(np.where(alpha > 1, (alpha + beta - 1) / np.maximum(alpha - 1, 0), np.inf))


def _read_renewal(t: Column) -> Floats:
    renewal = read_periods(t, "t")
    refuse("t", t, renewal, renewal < 1, "is no renewal: the first is 1")
    return renewal


def _check_rate(rate: float) -> None:
    if not (math.isfinite(rate) and rate >= 0):
        raise InvalidRate(f"a discount rate of {rate} cannot be used.", "Pass a rate a period of 0 or more.")
