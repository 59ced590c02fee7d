"""Where to look: the population's mu and tau by expectation-maximisation, each segment by Laplace's approximation.

Only a place to begin: the draws that follow weigh every point by its exact density (`marginal.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from retentioncast.core.errors import FitFailed
from retentioncast.models.arrays import Floats
from retentioncast.models.btyd.likelihood import Likelihood
from retentioncast.models.btyd.optimum import Optimum, maximise, polish
from retentioncast.models.pooling.hyper import SCATTER_SPREAD, HyperPrior
from retentioncast.models.uncertainty.target import Target

_MOST_ROUNDS = 25
#: The logs of mu and tau move by less than this: the draws are then weighed, so that more digits are of no use.
_SETTLED = 0.03
_FIRST_TAU = 0.5
_NEWTON_STEPS = 15


@dataclass(frozen=True, slots=True, eq=False)
class Population:
    """mu (k,), tau (k,), and each segment's mode and covariance given them."""

    mu: Floats
    tau: Floats
    modes: list[Optimum]


def segment_target(likelihood: Likelihood, mu: Floats, tau: Floats) -> Target:
    """A segment's posterior when the population is known."""
    return Target(likelihood, mu - np.log(likelihood.units), tau)


def find_population(
    likelihoods: Sequence[Likelihood], prior: HyperPrior, start: tuple[Floats, Floats] | None = None
) -> Population:
    """The population under which the segments look most likely; `start`: mu and tau (k,) to begin at."""
    mu, tau = start or (prior.centre, np.full(prior.centre.size, _FIRST_TAU))
    modes: list[Optimum | None] = [None] * len(likelihoods)
    found: list[Optimum] = []
    for _ in range(_MOST_ROUNDS):
        found = [find_mode(lik, mu, tau, prior.names, last) for lik, last in zip(likelihoods, modes, strict=True)]
        modes = list(found)
        new_mu, new_tau = _maximise(_thetas(likelihoods, found), _variances(found), prior, tau)
        moved = max(np.abs(new_mu - mu).max(), np.abs(np.log(new_tau / tau)).max())
        mu, tau = new_mu, new_tau
        if moved < _SETTLED:
            break
    return Population(mu, tau, found)


def find_mode(likelihood: Likelihood, mu: Floats, tau: Floats, names: tuple[str, ...], last: Optimum | None) -> Optimum:
    """The segment's mode, by Newton's steps from the last one; where there is none, the population is its place."""
    target = segment_target(likelihood, mu, tau)
    try:
        if last is not None:
            return polish(target, last.log_parameters, names)
        return maximise(target, [target.centre], names, max(likelihood.n_customers, 1.0))
    except FitFailed:
        return Optimum(target.centre, target(target.centre)[0], np.diag(tau**2))


def _thetas(likelihoods: Sequence[Likelihood], modes: Sequence[Optimum]) -> Floats:
    """Logs of the parameters (segments, k), in the data's units."""
    return np.array([m.log_parameters + np.log(lik.units) for lik, m in zip(likelihoods, modes, strict=True)])


def _variances(modes: Sequence[Optimum]) -> Floats:
    return np.array([np.diag(mode.covariance) for mode in modes])


def _maximise(theta: Floats, variance: Floats, prior: HyperPrior, tau: Floats) -> tuple[Floats, Floats]:
    """The M step: mu with its normal prior; the log of tau with its own, by Newton's steps (its score is monotone)."""
    n = len(theta)
    precision = n / tau**2 + 1 / prior.spread**2
    mu = (theta.sum(axis=0) / tau**2 + prior.centre / prior.spread**2) / precision
    scatter = (variance + np.square(theta - mu)).sum(axis=0)
    log_tau, middle, weight = np.log(tau), np.log(prior.scatter), 1 / SCATTER_SPREAD**2
    for _ in range(_NEWTON_STEPS):
        share = scatter * np.exp(-2 * log_tau)
        step = (share - n - (log_tau - middle) * weight) / (2 * share + weight)
        log_tau = log_tau + np.clip(step, -1, 1)
    return mu, np.exp(log_tau)
