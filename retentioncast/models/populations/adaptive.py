"""Importance draws of a posterior with several modes or a bent shape: each round follows what weighs much so far.

Cornuet, Marin, Mira & Robert (2012), "Adaptive multiple importance sampling", Scandinavian Journal of Statistics 39(4):
points of all rounds are kept, each weighed against the average of all rounds' mixtures. A mode counts by its mass, not
by how often the search came to it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from retentioncast.models.arrays import Floats
from retentioncast.models.btyd.optimum import Optimum
from retentioncast.models.populations.proposals import Proposal, moments, over_modes, refitted
from retentioncast.models.uncertainty.importance import Density, Weighed
from retentioncast.models.uncertainty.pareto_smoothing import smooth_weights

#: Points of each round; a further round only where the weights so far are not to be trusted.
_ROUNDS = (1000, 1500, 1500, 1500, 1500, 1500, 1500)


def weigh_modes(modes: Sequence[Optimum], target: Density, seed: int) -> Weighed:
    """Points around the modes, and where their weights are poor more of them where the weights say the posterior is.

    Curves that were fitted to few points may have missed what lies further out, and then look good: they must look good
    twice.
    """
    rng, narrow = np.random.default_rng(seed), np.mean([mode.covariance for mode in modes], axis=0)
    proposals, points, log_density, before = [over_modes(modes)], [], [], False
    for number, n in enumerate(_ROUNDS, 1):
        points.append(proposals[-1].draw(n, rng))
        log_density.append(target.densities(points[-1]))
        weighed = _weigh(np.concatenate(points), np.concatenate(log_density), proposals)
        sure, before = weighed.trusted and (before or number == 1), weighed.trusted
        if sure or weighed.smoothed.ess < 2 or number == len(_ROUNDS):
            break
        proposals.append(refitted(weighed.points, _levelled(weighed.smoothed.weights), narrow, rng))
    return weighed


def shape_of(weighed: Weighed, mode: Optimum) -> Optimum:
    """Where the weights say the posterior is and how wide, for NUTS; the mode where they say too little."""
    if weighed.smoothed.ess < 10 * mode.log_parameters.size:
        return mode
    centre, covariance = moments(weighed.points, weighed.smoothed.weights)
    return Optimum(centre, mode.log_likelihood, covariance + 0.01 * mode.covariance)


def _weigh(points: Floats, log_density: Floats, proposals: Sequence[Proposal]) -> Weighed:
    rounds = np.array(_ROUNDS[: len(proposals)])
    each = [math.log(part) + p.log_density(points) for part, p in zip(rounds / rounds.sum(), proposals, strict=True)]
    return Weighed(points, log_density, smooth_weights(log_density - np.logaddexp.reduce(each, axis=0)))


def _levelled(weights: Floats) -> Floats:
    """The largest weights cut to one size, so that no single point makes the next curves."""
    most = np.sort(weights)[-max(int(0.2 * math.sqrt(weights.size)), 2)]
    cut = np.minimum(weights, most)
    return np.asarray(cut / cut.sum())
