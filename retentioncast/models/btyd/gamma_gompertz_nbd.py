"""Gamma-Gompertz/NBD: as Pareto/NBD, but each customer grows more (or less) likely to leave as time passes.

Bemmaor & Glady (2012), "Modeling purchasing behavior with sudden 'death': a flexible customer lifetime model",
Management Science 58(5). A customer buys at rate lambda ~ Gamma(r, alpha) and leaves at a Gompertz time with hazard
b eta e^(b t), eta ~ Gamma(s, beta), so P(tau > t) = (beta / (beta + e^(b t) - 1))^s, and

L = Gamma(r + x) alpha^r / Gamma(r) ((alpha + T)^-(r + x) (beta / (beta + e^(b T) - 1))^s
    + b s beta^s integral over tau in (t_x, T] of (alpha + tau)^-(r + x) e^(b tau) (beta + e^(b tau) - 1)^-(s + 1)).

As b -> 0 with beta / b held it becomes Pareto/NBD, whose beta is this ratio.
"""

from __future__ import annotations

import math

import numpy as np

from retentioncast.models.arrays import Floats
from retentioncast.models.btyd.grouping import Groups
from retentioncast.models.btyd.lifetime import LifetimeModel, Mixture, log_likelihood
from retentioncast.models.btyd.likelihood import Likelihood

#: (r, alpha, b, s, beta), with time scaled to a mean T of 1.
_STARTS = ((0.6, 0.4, 0.5, 0.6, 0.2), (0.5, 0.5, 4.0, 1.0, 20.0))


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

    def _likelihood(self, groups: Groups) -> Likelihood:
        x, t_x, age = groups.columns
        w = groups.weights
        n = float(w.sum())
        unit = float(w @ age / n)

        def kernel(scaled: Floats) -> tuple[float, Floats]:
            r, alpha, b, s, beta = scaled
            mixture = np.array([r, alpha, s, beta / b, b])
            value, (d_r, d_alpha, d_s, d_beta, d_b) = log_likelihood(mixture, x, t_x / unit, age / unit, w)
            return value, np.array([d_r, d_alpha, d_b - d_beta * beta / b**2, d_s, d_beta / b])

        units = np.array([1.0, unit, 1 / unit, 1.0, 1.0])
        return Likelihood(kernel, _STARTS, units, float(w @ x) * math.log(unit), groups.size, n)

    def _mixture(self, parameters: Floats | None) -> Mixture:
        r, alpha, b, s, beta = self._columns(parameters)
        return r, alpha, s, beta / b, b

    def _life(self, s: Floats, beta: Floats, b: Floats, age: Floats, rng: np.random.Generator) -> Floats:
        """Inverse of S(u) = e^(-h (e^(b u) - 1) / b), with the hazard now h ~ Gamma(s, Q(T)) of `leaving_time`."""
        now = beta * np.exp(-b * age) - np.expm1(-b * age) / b
        with np.errstate(divide="ignore"):
            times = rng.exponential(size=age.size) * now / rng.gamma(s, size=age.size)
            return np.asarray(np.log1p(b * times) / b)
