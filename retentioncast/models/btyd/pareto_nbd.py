"""Pareto/NBD: purchases are Poisson until the customer leaves, at a time that no purchase announces.

Schmittlein, Morrison & Colombo (1987), "Counting your customers", Management Science 33(1); Fader & Hardie (2005), "A
note on deriving the Pareto/NBD model and related expressions". A customer buys at rate lambda ~ Gamma(r, alpha) and
leaves at rate mu ~ Gamma(s, beta), so P(tau > t) = (beta / (beta + t))^s. With A0 as the integral it stands for,

L = Gamma(r + x) alpha^r beta^s / Gamma(r) ((alpha + T)^-(r + x) (beta + T)^-s
    + s integral over tau in (t_x, T] of (alpha + tau)^-(r + x) (beta + tau)^-(s + 1)).
"""

from __future__ import annotations

import numpy as np

from retentioncast.models.arrays import Column, Floats, Integers
from retentioncast.models.btyd.covariate_model import RunKernel
from retentioncast.models.btyd.covariates import Covariates
from retentioncast.models.btyd.lifetime import LifetimeModel, Mixture
from retentioncast.models.btyd.lifetime_kernels import log_likelihood_of_runs


class ParetoNBD(LifetimeModel):
    """Pareto/NBD with parameters r, alpha, s, beta (alpha and beta in `time_unit`).

    Predictions take numbers or columns of m customers, or with `parameters` (n, 4) of `draw_parameters` give (n, m).

    >>> model = ParetoNBD()
    >>> model.params_ = {"r": 0.553, "alpha": 10.578, "s": 0.606, "beta": 11.669}
    >>> model.expected_purchases_new(52).round(2)
    np.float64(1.47)
    """

    family = "Pareto/NBD"
    parameter_names = ("r", "alpha", "s", "beta")
    starts = ((0.6, 0.4, 0.6, 0.4), (1.5, 1.0, 0.3, 2.0), (0.5, 0.5, 3.0, 5.0))
    powers_of_time = (0, 1, 0, 1)

    def _run_kernel(self, x: Floats, t_x: Floats, age: Floats, weights: Floats, edges: Integers) -> RunKernel:
        def kernel(scaled: Floats) -> tuple[float, Floats]:
            mixture = np.column_stack([scaled, np.zeros(len(scaled))])
            value, gradient = log_likelihood_of_runs(mixture, edges, x, t_x, age, weights)
            return value, gradient[:, :4]

        return kernel

    def _mixture(
        self, parameters: Floats | None, covariates: Covariates | None = None, frequency: Column = 0
    ) -> Mixture:
        r, alpha, s, beta = self._columns(parameters, covariates, frequency)
        return r, alpha, s, beta, np.zeros(())

    def _life(self, s: Floats, beta: Floats, b: Floats, age: Floats, rng: np.random.Generator) -> Floats:
        """Exponential at a rate mu ~ Gamma(s, beta + T)."""
        with np.errstate(divide="ignore"):
            return np.asarray(rng.exponential(size=age.size) * (beta + age) / rng.gamma(s, size=age.size))
