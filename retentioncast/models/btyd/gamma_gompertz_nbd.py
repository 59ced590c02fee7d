"""Gamma-Gompertz/NBD: as Pareto/NBD, but each customer grows more (or less) likely to leave as time passes.

Bemmaor & Glady (2012), "Modeling purchasing behavior with sudden 'death': a flexible customer lifetime model",
Management Science 58(5). A customer buys at rate lambda ~ Gamma(r, alpha) and leaves at a Gompertz time with hazard
b eta e^(b t), eta ~ Gamma(s, beta), so P(tau > t) = (beta / (beta + e^(b t) - 1))^s, and

L = Gamma(r + x) alpha^r / Gamma(r) ((alpha + T)^-(r + x) (beta / (beta + e^(b T) - 1))^s
    + b s beta^s integral over tau in (t_x, T] of (alpha + tau)^-(r + x) e^(b tau) (beta + e^(b tau) - 1)^-(s + 1)).

As b -> 0 with beta / b held it becomes Pareto/NBD, whose beta is this ratio.
"""

from __future__ import annotations

import numpy as np

from retentioncast.models.arrays import Column, Floats, Integers
from retentioncast.models.btyd.covariate_model import RunKernel
from retentioncast.models.btyd.covariates import Covariates
from retentioncast.models.btyd.lifetime import LifetimeModel, Mixture
from retentioncast.models.btyd.lifetime_kernels import log_likelihood_of_runs


class GammaGompertzNBD(LifetimeModel):
    """Gamma-Gompertz/NBD with parameters r, alpha (in `time_unit`), b (a `time_unit`), s, beta.

    Predictions take numbers or columns of m customers, or with `parameters` (n, 5) of `draw_parameters` give (n, m).

    >>> model = GammaGompertzNBD()
    >>> model.params_ = {"r": 0.55, "alpha": 10.6, "b": 0.02, "s": 0.6, "beta": 0.3}
    >>> model.probability_alive(2, 10.0, [12.0, 30.0]).round(2).tolist()
    [0.96, 0.67]
    """

    family = "Gamma-Gompertz/NBD"
    parameter_names = ("r", "alpha", "b", "s", "beta")
    starts = ((0.6, 0.4, 0.5, 0.6, 0.2), (0.5, 0.5, 4.0, 1.0, 20.0))
    powers_of_time = (0, 1, -1, 0, 0)

    def _run_kernel(self, x: Floats, t_x: Floats, age: Floats, weights: Floats, edges: Integers) -> RunKernel:
        def kernel(scaled: Floats) -> tuple[float, Floats]:
            r, alpha, b, s, beta = scaled.T
            mixture = np.column_stack([r, alpha, s, beta / b, b])
            value, gradient = log_likelihood_of_runs(mixture, edges, x, t_x, age, weights)
            d_r, d_alpha, d_s, d_beta, d_b = gradient.T
            return value, np.column_stack([d_r, d_alpha, d_b - d_beta * beta / b**2, d_s, d_beta / b])

        return kernel

    def _mixture(
        self, parameters: Floats | None, covariates: Covariates | None = None, frequency: Column = 0
    ) -> Mixture:
        r, alpha, b, s, beta = self._columns(parameters, covariates, frequency)
        return r, alpha, s, beta / b, b

    def _life(self, s: Floats, beta: Floats, b: Floats, age: Floats, rng: np.random.Generator) -> Floats:
        """Inverse of S(u) = e^(-h (e^(b u) - 1) / b), with the hazard now h ~ Gamma(s, Q(T)) of `leaving_time`."""
        now = beta * np.exp(-b * age) - np.expm1(-b * age) / b
        with np.errstate(divide="ignore"):
            times = rng.exponential(size=age.size) * now / rng.gamma(s, size=age.size)
            return np.asarray(np.log1p(b * times) / b)
