"""The population's posterior with customers and segments integrated out, and each segment's given it.

However many segments there are, what is searched and weighed has 2k dimensions (mu and log tau).
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
from retentioncast.models.uncertainty.importance import DRAWS, Weighed, resample, weigh_around
from retentioncast.models.uncertainty.nuts import sample_nuts
from retentioncast.models.uncertainty.pareto_smoothing import highest_k

#: Draws kept of each segment to be weighed; of many segments fewer, as the population is then known well.
CLOUD_DRAWS, CLOUD_DRAWS_OF_MANY, _MANY = 2000, 1000, 200
#: Quantile of tau that the second round's reference scatters with.
_UPPER = 0.95
#: The population's draws are worth at least so many independent ones, or NUTS decides.
FEWEST_EFFECTIVE = 200.0
#: With more segments NUTS over each of them takes hours; NUTS over the population alone does not.
MOST_FOR_NUTS = 60
#: How often the proposal is moved to where the weights say that the population is: tau's logs are far from normal.
_ATTEMPTS = 6
_POINTS = 3000


@dataclass(frozen=True, slots=True, eq=False)
class PopulationDensity:
    """Log posterior density, up to a constant, of a point (2k,): mu, then the logs of tau."""

    cloud: Cloud
    prior: HyperPrior

    def __call__(self, point: Floats) -> tuple[float, Floats]:
        mu, log_tau = np.split(point, 2)
        value, by_mu, by_log_tau = self._data(mu, log_tau, True)
        prior, prior_by_mu, prior_by_log_tau = self.prior.log_density(mu, log_tau)
        return value + prior, np.concatenate([by_mu + prior_by_mu, by_log_tau + prior_by_log_tau])

    def densities(self, points: Floats) -> Floats:
        """Log densities (n,) of points (n, 2k)."""
        mu, log_tau = np.split(points, 2, axis=1)
        found = np.array([self._value(*point) for point in zip(mu, log_tau, strict=True)])
        return np.where(np.isfinite(found), found, -np.inf)

    def _value(self, mu: Floats, log_tau: Floats) -> float:
        return self._data(mu, log_tau, False)[0] + self.prior.log_density(mu, log_tau)[0]

    def _data(self, mu: Floats, log_tau: Floats, with_gradient: bool) -> tuple[float, Floats, Floats]:
        return log_mean_weights(self.cloud.theta, self.cloud.log_reference, mu, np.exp(log_tau), with_gradient)


def pool_by_importance(
    likelihoods: Sequence[Likelihood], prior: HyperPrior, draws: int, seed: int, start: tuple[Floats, Floats] | None
) -> tuple[Pooled, Population]:
    """The posterior of population and segments by importance weights, with what vouches for it, and where it looked.

    Raises FitFailed when the population has no mode.
    """
    population = find_population(likelihoods, prior, start)
    size = CLOUD_DRAWS if len(likelihoods) <= _MANY else CLOUD_DRAWS_OF_MANY
    cloud = make_cloud(likelihoods, population, size, seed)
    first = _weigh(PopulationDensity(cloud, prior), population, prior, seed)
    wide = _widened(first, population)
    cloud = make_cloud(likelihoods, wide, size, seed)
    weighed = _weigh(PopulationDensity(cloud, prior), wide, prior, seed)
    points, ess = _draw(weighed, PopulationDensity(cloud, prior), draws, seed)
    mu, log_tau = np.split(points, 2, axis=1)
    uniform = np.random.default_rng(seed).random((draws, len(likelihoods)))
    theta, effective = choose(cloud.theta, cloud.log_reference, mu, np.exp(log_tau), uniform)
    worst = max(weighed.smoothed.pareto_k if _holds(weighed) else 0.0, cloud.worst_k)
    return Pooled(prior.names, mu, np.exp(log_tau), theta, "psis", worst, np.minimum(effective, ess)), population


def _draw(weighed: Weighed, density: PopulationDensity, draws: int, seed: int) -> tuple[Floats, float]:
    """Points (draws, 2k) and their worth. With many segments NUTS over the population decides where weights cannot;
    with few the worth is 0, and NUTS over everything does (`pool.py`)."""
    if _holds(weighed) or len(density.cloud.theta) <= MOST_FOR_NUTS:
        place = resample(weighed.smoothed.weights, draws, seed)
        return weighed.points[place], weighed.smoothed.ess if _holds(weighed) else 0.0
    centre = weighed.smoothed.weights @ weighed.points
    mode = maximise(density, [centre], ("",) * centre.size, float(len(density.cloud.theta)))
    sampled = sample_nuts(density, mode.log_parameters, mode.covariance, seed)
    points = sampled.points.reshape(-1, centre.size)
    return points[np.random.default_rng(seed).choice(len(points), draws, replace=draws > len(points))], sampled.ess


def _holds(weighed: Weighed) -> bool:
    smoothed = weighed.smoothed
    return smoothed.pareto_k <= highest_k(len(weighed.points)) and smoothed.ess >= FEWEST_EFFECTIVE


def _widened(weighed: Weighed, population: Population) -> Population:
    """The reference of the second round: with few segments tau may be far above its most likely value, and segments
    with few customers are only drawn as widely as the reference scatters."""
    mu, log_tau = np.split(weighed.points, 2, axis=1)
    weights = weighed.smoothed.weights
    upper = np.array([_quantile(column, weights, _UPPER) for column in log_tau.T])
    return Population(weights @ mu, np.exp(upper) / WIDER, population.modes)


def _quantile(values: Floats, weights: Floats, share: float) -> float:
    rank = np.argsort(values)
    at = int(np.searchsorted(np.cumsum(weights[rank]), share))
    return float(values[rank[min(at, rank.size - 1)]])


def _weigh(density: PopulationDensity, population: Population, prior: HyperPrior, seed: int) -> Weighed:
    start = np.concatenate([population.mu, np.log(population.tau)])
    names = tuple(f"{part}_{name}" for part in ("mu", "tau") for name in prior.names)
    mode = maximise(density, [start], names, float(len(population.modes)))
    return weigh_around(mode, density, seed, _ATTEMPTS, _POINTS if len(population.modes) <= _MANY else DRAWS)
