"""Gamma-Gamma: what a customer spends an order, from the mean of what was seen, drawn towards the shop's mean.

Fader & Hardie (2013), "The Gamma-Gamma model of monetary value". Orders are Gamma(p, nu), nu ~ Gamma(q, v).
"""

from __future__ import annotations

import math
from typing import Self, Unpack

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from retentioncast.core.errors import FitFailed, NotEnoughData
from retentioncast.models.arrays import Column, Floats
from retentioncast.models.btyd.compiled import compiled, digamma
from retentioncast.models.btyd.grouping import Groups, group_rows
from retentioncast.models.btyd.likelihood import Likelihood
from retentioncast.models.btyd.likelihood_model import LikelihoodModel
from retentioncast.models.btyd.purchase_columns import SPEND_COLUMNS, from_frame, read_spend, read_weights
from retentioncast.models.btyd.repeat_buying import MOST_PURCHASES
from retentioncast.models.columns import refuse, same_length
from retentioncast.models.uncertainty.fitting import Fitting

MIN_REPEAT_BUYERS = 10
#: A mean spend of more than so many medians is a slip of the pen, in any currency.
MOST_MEDIANS = 1e6
#: (p, q, v), with money scaled to a mean of 1.
_STARTS = ((2.0, 3.0, 1.0), (6.0, 4.0, 0.5), (1.0, 1.5, 1.0), (20.0, 10.0, 0.5))


class GammaGamma(LikelihoodModel):
    """Gamma-Gamma with parameters p, q and v (in money).

    Predictions take numbers or columns of m customers, or with `parameters` (n, 3) of `draw_parameters` give (n, m).
    """

    parameter_names = ("p", "q", "v")

    def fit(
        self,
        frequency: Column | pd.DataFrame,
        monetary: Column | None = None,
        weights: Column | None = None,
        **how: Unpack[Fitting],
    ) -> Self:
        """Fit to frequency and mean spend an order (n,), or to a frame that holds them by name; see `Fitting`.

        Rows without a repeat purchase, or whose mean spend is 0 (free orders: no Gamma has mass there), say nothing
        and are left out. Raises InvalidColumn (a ValueError) for bad values, NotEnoughData when all spend the same.
        By maximum likelihood, NotEnoughData below 10 repeat buyers and FitFailed when there is no maximum to be
        trusted; with priors, the priors are all there is below 10 (`prior_only_`).
        """
        if isinstance(frequency, pd.DataFrame):
            frequency, monetary = from_frame(frequency, SPEND_COLUMNS)
        if monetary is None:
            raise TypeError("fit takes frequency and monetary, or one frame with frequency and monetary_value")
        x, m = (np.atleast_1d(column) for column in read_spend(frequency, monetary))
        same_length(frequency=x, monetary_value=m)
        w = read_weights(weights, x.size)
        paying = (x > 0) & (m > 0) & (w > 0)
        _refuse_outliers(frequency, x, monetary, m, paying)
        groups = group_rows((x[paying], m[paying]), w[paying])
        if missing := _not_enough(groups):
            return self._fit_priors(missing, **how)
        _require_spread(groups.columns[1])
        return self._fit_groups(groups, **how)

    def _likelihood(self, groups: Groups) -> Likelihood:
        x, m = groups.columns
        w = groups.weights
        n = float(w.sum())
        unit = math.exp(float(w @ np.log(m) / n))  # a few enormous orders would move the arithmetic mean

        def kernel(scaled: Floats) -> tuple[float, Floats]:
            return log_likelihood(scaled, x, m / unit, w)

        return Likelihood(kernel, _STARTS, np.array([1.0, 1.0, unit]), n * math.log(unit), groups.size, n)

    def expected_spend(self, frequency: Column, monetary: Column, parameters: Floats | None = None) -> Floats:
        """E[spend an order | x orders of mean m] = p (v + x m) / (p x + q - 1) (eq. 5).

        A one-time buyer gets the shop's mean, p v / (q - 1). Raises FitFailed where that mean is infinite (q <= 1).
        """
        x, m = read_spend(frequency, monetary)
        p, q, v = self._columns(parameters)
        if np.any(p * x + q <= 1):
            raise FitFailed("the fitted spend has no finite mean (q <= 1).", "Look for extreme order values.")
        return np.asarray(p * (v + x * m) / (p * x + q - 1))

    def sample(self, n: int, frequency: Column, seed: int) -> pd.DataFrame:
        """The generative twin: mean spend of n customers with so many orders, and their true mean (`mean_spend`)."""
        p, q, v = self._fitted_values()
        rng = np.random.default_rng(seed)
        x = np.broadcast_to(np.asarray(frequency, dtype=np.float64), (n,))
        nu = rng.gamma(q, 1 / v, n)
        seen = rng.gamma(p * np.maximum(x, 1)) / (nu * np.maximum(x, 1))
        return pd.DataFrame({"frequency": x, "monetary_value": np.where(x > 0, seen, 0.0), "mean_spend": p / nu})

    def sample_scale(self, x: Floats, m: Floats, parameters: Floats, rng: np.random.Generator) -> tuple[Floats, Floats]:
        """Shape p of one order and a draw of its rate nu ~ Gamma(q + p x, v + x m), for rows of equal length.

        `parameters` is (rows, 3): one draw of the parameters a row.
        """
        p, q, v = parameters.T
        return p, rng.gamma(q + p * x) / (v + x * m)


@compiled
def log_likelihood(parameters: Floats, x: Floats, m: Floats, weights: Floats) -> tuple[float, Floats]:
    """Weighted log likelihood (eq. 1a) and its gradient (3,) in p, q, v. Rows sorted by x cost least."""
    p, q, v = parameters
    gradient = np.zeros(3)
    total, last_x = 0.0, -1.0
    constant, d_p, d_q = 0.0, 0.0, 0.0
    for i in range(x.size):
        n = x[i]
        if n != last_x:  # what depends on x alone
            constant = math.lgamma(p * n + q) - math.lgamma(p * n) - math.lgamma(q) + q * math.log(v)
            both = digamma(p * n + q)
            d_p, d_q = n * (both - digamma(p * n)), both - digamma(q) + math.log(v)
            last_x = n
        log_sum, log_spent = math.log(v + n * m[i]), math.log(n * m[i])
        term = constant + p * n * log_spent - math.log(m[i]) - (p * n + q) * log_sum
        total += weights[i] * term
        gradient[0] += weights[i] * (d_p + n * (log_spent - log_sum))
        gradient[1] += weights[i] * (d_q - log_sum)
        gradient[2] += weights[i] * (q / v - (p * n + q) / (v + n * m[i]))
    return total, gradient


def _not_enough(groups: Groups) -> NotEnoughData | None:
    n = float(groups.weights.sum())
    if n >= MIN_REPEAT_BUYERS:
        return None
    return NotEnoughData(
        f"Gamma-Gamma needs {MIN_REPEAT_BUYERS} repeat buyers who paid; there are {n:g}.", "Wait for more purchases."
    )


def _refuse_outliers(frequency: Column, x: Floats, monetary: Column, m: Floats, paying: NDArray[np.bool_]) -> None:
    refuse("frequency", frequency, x, x > MOST_PURCHASES, "is more than any customer buys")
    if paying.any():
        most = MOST_MEDIANS * float(np.median(m[paying]))
        refuse("monetary_value", monetary, m, paying & (m > most), "is over a million times the median spend")


def _require_spread(m: Floats) -> None:
    if np.ptp(m) <= 1e-9 * m.max():
        raise NotEnoughData("all repeat buyers spend the same: there is no spread to fit.", "Use that spend as it is.")
