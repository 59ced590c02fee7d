"""From a posterior's density to draws: reweighted, by importance, or by NUTS, whichever is the first to be trusted."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from retentioncast.core.errors import FitFailed
from retentioncast.models.arrays import Floats, Integers
from retentioncast.models.btyd.optimum import Optimum
from retentioncast.models.btyd.optimum_from import maximise_from
from retentioncast.models.uncertainty.importance import DRAWS, FEWEST_EFFECTIVE, Weighed, resample, weigh_around
from retentioncast.models.uncertainty.nuts import CHAINS, sample_nuts
from retentioncast.models.uncertainty.pareto_smoothing import HIGHEST_K, Smoothed, smooth_weights
from retentioncast.models.uncertainty.posterior import Posterior, Source
from retentioncast.models.uncertainty.target import Target

_HIGHEST_R_HAT = 1.05
#: Before all of the last draws are weighed, so many tell whether it is worth while: the share of them that counts.
_PILOT, _HOPELESS_SHARE = 200, 0.25


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """The parameters' names, a seed, and where the last run ended: its point (k,) and its posterior."""

    names: tuple[str, ...]
    seed: int
    always_nuts: bool = False
    last: Floats | None = None
    before: Posterior | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Inferred:
    """The mode (None where there is none to be trusted), the posterior, and notes of what was done."""

    mode: Optimum | None
    posterior: Posterior
    notes: tuple[str, ...]


def find_mode(target: Target, names: tuple[str, ...], last: Floats | None = None) -> tuple[Optimum, str]:
    """The mode of the posterior of the log parameters, from the last point where there is one; and a note of that."""
    starts = [target.centre, *target.likelihood.start_points()]
    n = max(target.likelihood.n_customers, 1.0)
    return maximise_from(last, target, starts, names, n, target.rehearsal())


def infer(target: Target, asked: Asked) -> Inferred:
    """The posterior: the last one's draws reweighted while that holds, else weighed around the mode, else by NUTS."""
    try:
        mode, note = find_mode(target, asked.names, asked.last)
    except FitFailed as error:
        centre, covariance = target.centre, np.diag(target.spread**2)
        posterior, doubts = _by_nuts(target, asked, centre, covariance, math.nan)
        return Inferred(None, posterior, (f"no mode to be trusted ({error.message}): NUTS decided", *doubts))
    posterior, notes = _around(mode, target, asked)
    return Inferred(mode, posterior, (note, *notes) if note else notes)


def _around(mode: Optimum, target: Target, asked: Asked) -> tuple[Posterior, tuple[str, ...]]:
    notes: tuple[str, ...] = ()
    k = math.nan
    if not asked.always_nuts:
        if asked.before is not None:
            reweighted, note = reweight(asked.before, target, asked.seed)
            notes = (note,)
            if reweighted is not None:
                return reweighted, notes
        weighed = weigh_around(mode, target, asked.seed)
        if weighed.trusted:
            return _of_weighed(weighed, target, asked, "psis"), notes
        k = weighed.smoothed.pareto_k
        notes = (*notes, f"importance weights were not to be trusted (k = {k:.2f}): NUTS decided")
    posterior, doubts = _by_nuts(target, asked, mode.log_parameters, mode.covariance, k)
    return posterior, notes + doubts


def reweight(before: Posterior, target: Target, seed: int) -> tuple[Posterior | None, str]:
    """The last posterior's draws weighted by the new data, or None where they lie too far from it; and a note.

    Draws that are there several times count as one point of so much more weight: else a posterior that was reweighted
    again and again would not notice how few different draws are left of it. The tail is that of the ratios alone.
    """
    _, first, copies = np.unique(before.draws, axis=0, return_index=True, return_counts=True)
    points, known = target.likelihood.points_of(before.draws[first]), before.log_density[first]
    pilot = _times(smooth_weights(target.densities(points[:_PILOT]) - known[:_PILOT]), copies[:_PILOT])
    if pilot.ess < _HOPELESS_SHARE * min(_PILOT, len(points)):
        return None, _too_far(pilot)
    log_density = target.densities(points)
    smoothed = _times(smooth_weights(log_density - known), copies)
    if smoothed.pareto_k >= HIGHEST_K or smoothed.ess < FEWEST_EFFECTIVE:
        return None, _too_far(smoothed)
    weighed = Weighed(points, log_density, smoothed)
    posterior = _of_weighed(weighed, target, Asked(before.parameter_names, seed), "reweighted")
    return posterior, f"the last posterior's draws were weighted by the new data (k = {smoothed.pareto_k:.2f})"


def _times(smoothed: Smoothed, copies: Integers) -> Smoothed:
    """The weights of points that stand for several equal draws."""
    weights = smoothed.weights * copies
    weights = weights / weights.sum()
    return Smoothed(weights, smoothed.pareto_k, float(1 / np.square(weights).sum()))


def _too_far(smoothed: Smoothed) -> str:
    return (
        f"the last posterior is too far from the new data (k = {smoothed.pareto_k:.2f}, "
        f"worth {smoothed.ess:.0f} draws): fitted anew"
    )


def _of_weighed(weighed: Weighed, target: Target, asked: Asked, source: Source) -> Posterior:
    place = resample(weighed.smoothed.weights, DRAWS, asked.seed)
    draws = target.likelihood.parameters_at(weighed.points[place])
    smoothed = weighed.smoothed
    return Posterior(asked.names, draws, weighed.log_density[place], source, smoothed.pareto_k, smoothed.ess)


def _by_nuts(
    target: Target, asked: Asked, centre: Floats, covariance: Floats, k: float
) -> tuple[Posterior, tuple[str, ...]]:
    sampled = sample_nuts(target, centre, covariance, asked.seed)
    draws = target.likelihood.parameters_at(sampled.points.reshape(-1, len(asked.names)))
    log_density = sampled.log_density.ravel()
    posterior = Posterior(asked.names, draws, log_density, "nuts", k, sampled.ess, sampled.r_hat, CHAINS)
    if sampled.r_hat <= _HIGHEST_R_HAT:
        return posterior, ()
    return posterior, (f"the chains disagree (R-hat {sampled.r_hat:.2f}): take the intervals with care",)
