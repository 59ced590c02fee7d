"""The posterior of population and segments together, for NUTS: what the faster way (`marginal.py`) is held against.

Coordinates: mu (k,), log tau (k,), and for each segment z (k,) with theta = mu + tau z (non-centred: for segments with
few customers) or theta itself (centred: for segments that their own data determine). Betancourt & Girolami (2015).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from retentioncast.models.arrays import Floats
from retentioncast.models.btyd.likelihood import Likelihood
from retentioncast.models.pooling.hyper import HyperPrior


@dataclass(frozen=True, slots=True, eq=False)
class SegmentsLikelihood:
    """Sum of the segments' log likelihoods at theta (segments, k), with its gradient; customers integrated out."""

    likelihoods: Sequence[Likelihood]

    def __call__(self, theta: Floats) -> tuple[float, Floats]:
        total, gradient = 0.0, np.empty_like(theta)
        with np.errstate(over="ignore"):  # a trajectory that goes so far has diverged
            for s, likelihood in enumerate(self.likelihoods):
                value, gradient[s] = likelihood.objective()(theta[s] - np.log(likelihood.units))
                total += value - likelihood.log_unit_sum
        return total, gradient


@dataclass(frozen=True, slots=True, eq=False)
class JointDensity:
    """Log posterior density, up to a constant, of a point (2k + segments k,), with its gradient."""

    likelihood: SegmentsLikelihood
    prior: HyperPrior
    centred: bool = False

    @property
    def shape(self) -> tuple[int, int]:
        """Segments and parameters."""
        return len(self.likelihood.likelihoods), len(self.prior.names)

    def split(self, points: Floats) -> tuple[Floats, Floats, Floats]:
        """mu (..., k), tau (..., k) and theta (..., segments, k) of points (..., 2k + segments k)."""
        return split_points(points, self.shape, self.centred)

    def __call__(self, point: Floats) -> tuple[float, Floats]:
        return with_population(point, self.shape, self.prior, self.centred, self.likelihood)


def split_points(points: Floats, shape: tuple[int, int], centred: bool) -> tuple[Floats, Floats, Floats]:
    """mu (..., k), tau (..., k) and theta (..., segments, k) of points (..., 2k + segments k)."""
    k = shape[1]
    mu, tau = points[..., :k], np.exp(points[..., k : 2 * k])
    own = points[..., 2 * k :].reshape(*points.shape[:-1], *shape)
    return mu, tau, own if centred else mu[..., None, :] + tau[..., None, :] * own


def with_population(
    point: Floats,
    shape: tuple[int, int],
    prior: HyperPrior,
    centred: bool,
    likelihood: Callable[[Floats], tuple[float, Floats]],
) -> tuple[float, Floats]:
    """Log density and gradient of a point (2k + segments k,): a likelihood of theta, and the priors above it."""
    k = shape[1]
    mu, tau, theta = split_points(point, shape, centred)
    z = (theta - mu) / tau
    value, by_theta = likelihood(theta)
    of_prior, by_mu, by_log_tau = prior.log_density(mu, point[k : 2 * k])
    value += of_prior - 0.5 * float(np.square(z).sum())
    if centred:
        value -= len(theta) * float(np.log(tau).sum())
        own = by_theta - z / tau
        by_mu = by_mu + (z / tau).sum(axis=0)
        by_log_tau = by_log_tau + (z * z - 1).sum(axis=0)
    else:
        own = by_theta * tau - z
        by_mu = by_mu + by_theta.sum(axis=0)
        by_log_tau = by_log_tau + (by_theta * z * tau).sum(axis=0)
    return value, np.concatenate([by_mu, by_log_tau, own.ravel()])
