"""The population's posterior with customers and segments integrated out, and each segment's given it.

However many segments there are, what is searched and sampled has 2k dimensions (mu and log tau).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from retentioncast.models.arrays import Floats
from retentioncast.models.btyd.likelihood import Likelihood
from retentioncast.models.btyd.optimum import maximise
from retentioncast.models.pooling.cloud import WIDER, Cloud, choose, log_mean_weights, make_cloud
from retentioncast.models.pooling.empirical import Population, find_population
from retentioncast.models.pooling.hyper import HyperPrior
from retentioncast.models.pooling.pooled import Pooled
from retentioncast.models.uncertainty.importance import resample, weigh_around
from retentioncast.models.uncertainty.nuts import sample_nuts

#: Draws kept of each segment to be weighed.
CLOUD_DRAWS = 1000
#: Quantile of tau that the second round's reference scatters with.
_UPPER = 0.95


@dataclass(frozen=True, slots=True, eq=False)
class PopulationDensity:
    """Log posterior density, up to a constant, of a point (2k,): mu, then the logs of tau."""

    cloud: Cloud
    prior: HyperPrior

    def __call__(self, point: Floats) -> tuple[float, Floats]:
        mu, log_tau = np.split(point, 2)
        value, by_mu, by_log_tau = log_mean_weights(self.cloud.theta, self.cloud.log_reference, mu, np.exp(log_tau))
        prior, prior_by_mu, prior_by_log_tau = self.prior.log_density(mu, log_tau)
        return value + prior, np.concatenate([by_mu + prior_by_mu, by_log_tau + prior_by_log_tau])

    def densities(self, points: Floats) -> Floats:
        """Log densities (n,) of points (n, 2k)."""
        found = np.array([self(point)[0] for point in points])
        return np.where(np.isfinite(found), found, -np.inf)


def pool(likelihoods: Sequence[Likelihood], prior: HyperPrior, draws: int, seed: int) -> Pooled:
    """The posterior of population and segments, `draws` draws: by importance, by NUTS where Pareto k > 0.7."""
    population = find_population(likelihoods, prior)
    for last in (False, True):
        cloud = make_cloud(likelihoods, population, CLOUD_DRAWS, seed)
        points, source, k, r_hat = _sample(PopulationDensity(cloud, prior), population, prior, draws, seed)
        if not last:
            population = _widened(points, population)
    mu, log_tau = np.split(points, 2, axis=1)
    uniform = np.random.default_rng(seed).random((len(points), len(likelihoods)))
    theta, effective = choose(cloud.theta, cloud.log_reference, mu, np.exp(log_tau), uniform)
    return Pooled(prior.names, mu, np.exp(log_tau), theta, source, max(k, cloud.worst_k), r_hat, effective)


def _widened(points: Floats, population: Population) -> Population:
    """The reference of the second round: with few segments tau may be far above its most likely value, and segments
    with few customers are only drawn as widely as the reference scatters."""
    mu, log_tau = np.split(points, 2, axis=1)
    return Population(mu.mean(axis=0), np.exp(np.quantile(log_tau, _UPPER, axis=0)) / WIDER, population.modes)


def _sample(
    density: PopulationDensity, population: Population, prior: HyperPrior, draws: int, seed: int
) -> tuple[Floats, str, float, float]:
    start = np.concatenate([population.mu, np.log(population.tau)])
    names = tuple(f"{part}_{name}" for part in ("mu", "tau") for name in prior.names)
    mode = maximise(density, [start], names, float(len(population.modes)))
    weighed = weigh_around(mode, density, seed)
    if weighed.trusted:
        place = resample(weighed.smoothed.weights, draws, seed)
        return weighed.points[place], "psis", weighed.smoothed.pareto_k, float("nan")
    sampled = sample_nuts(density, mode.log_parameters, mode.covariance, seed)
    points = sampled.points.reshape(-1, start.size)
    place = np.random.default_rng(seed).choice(len(points), draws, replace=draws > len(points))
    return points[place], "nuts", weighed.smoothed.pareto_k, sampled.r_hat
