"""The one way in: pools segments by importance, and asks NUTS over everything where the weights cannot be trusted."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from retentioncast.core.errors import FitFailed
from retentioncast.models.arrays import Floats
from retentioncast.models.btyd.likelihood import Likelihood
from retentioncast.models.pooling.empirical import Population, find_population
from retentioncast.models.pooling.hyper import HyperPrior
from retentioncast.models.pooling.joint import JointDensity, SegmentsLikelihood
from retentioncast.models.pooling.marginal import MOST_FOR_NUTS, pool_by_importance
from retentioncast.models.pooling.pooled import Pooled
from retentioncast.models.pooling.sampling import Sampling, sample_joint
from retentioncast.models.uncertainty.importance import DRAWS
from retentioncast.models.uncertainty.pareto_smoothing import HIGHEST_K

if TYPE_CHECKING:
    from xarray import DataTree

#: Behind each segment there must be so many independent draws; six segments of 15 customers come to less.
FEWEST_BEHIND = 60.0

Start = tuple[Floats, Floats]


def pool(
    likelihoods: Sequence[Likelihood],
    prior: HyperPrior,
    draws: int = DRAWS,
    seed: int = 0,
    fallback: Sampling | None = None,
    start: Start | None = None,
) -> tuple[Pooled, DataTree]:
    """The posterior of population and segments, and its trace.

    By importance; by NUTS (`fallback`) where Pareto k is above 0.7 or a segment is left with too few draws, and there
    are at most 60 segments. `start` is the last run's mu and tau (k,). Raises FitFailed.
    """
    pooled, population = pool_by_importance(likelihoods, prior, draws, seed, start)
    if trusted(pooled) or len(likelihoods) > MOST_FOR_NUTS:
        return pooled, pooled.to_inference_data()
    sampled, trace = pool_by_nuts(likelihoods, prior, fallback or Sampling(draws=500, tune=500, seed=seed), population)
    trace["posterior"].attrs["pareto_k"] = pooled.pareto_k
    return sampled, trace


def trusted(pooled: Pooled) -> bool:
    """Whether the importance weights can be relied on, for the population and behind each segment."""
    return pooled.pareto_k <= HIGHEST_K and float(pooled.effective.min()) >= FEWEST_BEHIND


def pool_by_nuts(
    likelihoods: Sequence[Likelihood], prior: HyperPrior, asked: Sampling, population: Population | None = None
) -> tuple[Pooled, DataTree]:
    """The same by NUTS over population and segments; at most 1,000 draws are kept beside the trace."""
    density = JointDensity(SegmentsLikelihood(likelihoods), prior, asked.centred)
    trace = sample_joint(density, asked, population or find_population(likelihoods, prior))
    return keep_draws(trace, prior.names, asked.seed), trace


def keep_draws(trace: DataTree, names: tuple[str, ...], seed: int) -> Pooled:
    """At most 1,000 draws of mu, tau and theta of a trace of NUTS, of all chains. Raises FitFailed."""
    mu, tau, theta = (_flat(trace["posterior"][name].to_numpy()) for name in ("mu", "tau", "theta"))
    if not np.all(np.isfinite(theta)):
        raise FitFailed("NUTS gave parameters that are not finite.", "Look for extreme values in the data.")
    keep = np.random.default_rng(seed).permutation(len(mu))[:DRAWS]
    effective = np.full(theta.shape[1], float(len(mu)))
    return Pooled(names, mu[keep], tau[keep], theta[keep], "nuts", math.nan, effective)


def _flat(values: Floats) -> Floats:
    return values.reshape(-1, *values.shape[2:])
