"""The population that segments come from: where the logs of their parameters lie, and how far they scatter.

theta_sj = log of parameter j of segment s ~ Normal(mu_j, tau_j); mu_j ~ Normal(the model's own prior);
tau_j ~ LogNormal(log 0.25, 0.6): 95 % of it between 0.08 and 0.8. It keeps away from 0 (Chung, Rabe-Hesketh, Dorie,
Gelman & Liu 2013, "A nondegenerate penalized likelihood estimator for variance parameters", Psychometrika 78): segments
that differ by nothing at all are not believed in, and the logs of tau are near normal, which importance weights want.
Customers are integrated out by the family's own likelihood.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from retentioncast.models.arrays import Floats
from retentioncast.models.uncertainty.priors import DAYS_PER_WEEK, LogNormal, centres, spreads

#: Median of tau's log-normal prior: segments mostly within a factor of 1.3 of the population's centre.
SCATTER = 0.25
#: Standard deviation of the log of tau.
SCATTER_SPREAD = 0.6
_LOG_2PI = math.log(2 * math.pi)


@dataclass(frozen=True, slots=True, eq=False)
class HyperPrior:
    """Priors of mu: centre (k,) and spread (k,) of the logs of the parameters, in the data's units."""

    names: tuple[str, ...]
    centre: Floats
    spread: Floats
    scatter: float = SCATTER

    def log_density(self, mu: Floats, log_tau: Floats) -> tuple[float, Floats, Floats]:
        """Of mu (k,) and the logs of tau (k,), up to a constant, with its gradients in both."""
        away, scatter = (mu - self.centre) / self.spread, (log_tau - math.log(self.scatter)) / SCATTER_SPREAD
        value = -0.5 * float(away @ away) - 0.5 * float(scatter @ scatter)
        return value, -away / self.spread, -scatter / SCATTER_SPREAD


def make_hyper_prior(priors: Mapping[str, LogNormal], days_per_unit: float = DAYS_PER_WEEK) -> HyperPrior:
    """That of a family: its own priors are those of the average segment."""
    return HyperPrior(tuple(priors), centres(priors, days_per_unit), spreads(priors))


def normal_log_density(theta: Floats, mu: Floats, tau: Floats) -> Floats:
    """Sum over the last axis of the log densities of theta (..., k) under Normal(mu, tau)."""
    return np.asarray(-0.5 * (np.square((theta - mu) / tau) + _LOG_2PI).sum(axis=-1) - np.log(tau).sum(axis=-1))
