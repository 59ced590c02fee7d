"""Draws of each segment under a reference population, to be weighed for any other: the segments integrated out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from retentioncast.models.arrays import Floats
from retentioncast.models.btyd.compiled import compiled
from retentioncast.models.btyd.likelihood import Likelihood
from retentioncast.models.pooling.empirical import Population, find_mode, segment_target
from retentioncast.models.pooling.hyper import normal_log_density
from retentioncast.models.uncertainty.importance import resample, weigh_around

#: The reference population scatters so much more than the best one: wide enough to hold what is weighed against it.
WIDER = 1.5


@dataclass(frozen=True, slots=True, eq=False)
class Cloud:
    """`theta` (segments, n, k): draws of the logs of the parameters under the reference; `log_reference` (segments, n):
    the reference population's log density there. `worst_k` is the largest Pareto k of the segments' own draws."""

    theta: Floats
    log_reference: Floats
    worst_k: float


def make_cloud(likelihoods: Sequence[Likelihood], population: Population, n: int, seed: int) -> Cloud:
    """n equally likely draws of each segment, given the reference population."""
    tau = WIDER * population.tau
    theta = np.empty((len(likelihoods), n, tau.size))

    worst = 0.0
    for i, (likelihood, mode) in enumerate(zip(likelihoods, population.modes, strict=True)):
        wider = find_mode(likelihood, population.mu, tau, ("",) * tau.size, mode)
        weighed = weigh_around(wider, segment_target(likelihood, population.mu, tau), seed + i, n=n)
        place = resample(weighed.smoothed.weights, n, seed + i)
        theta[i] = weighed.points[place] + np.log(likelihood.units)
        worst = max(worst, weighed.smoothed.pareto_k)
    return Cloud(theta, normal_log_density(theta, population.mu, tau), worst)


@compiled
def log_mean_weights(
    theta: Floats, log_reference: Floats, mu: Floats, tau: Floats, with_gradient: bool
) -> tuple[float, Floats, Floats]:
    """Sum over segments of the log of the mean weight, up to a constant, and its gradients in mu and log tau.

    A weight is Normal(theta; mu, tau) over the reference: the ratio of a segment's marginal likelihoods.
    """
    segments, n, k = theta.shape
    inverse, volume = 1.0 / tau, np.log(tau).sum()
    by_mu, by_log_tau = np.zeros(k), np.zeros(k)
    weight = np.empty(n)
    total = 0.0
    for s in range(segments):
        top = -np.inf
        for m in range(n):
            value = -log_reference[s, m]
            for j in range(k):
                away = (theta[s, m, j] - mu[j]) * inverse[j]
                value -= 0.5 * away * away
            weight[m] = value
            top = max(top, value)
        mass = 0.0
        for m in range(n):
            weight[m] = np.exp(weight[m] - top)
            mass += weight[m]
        total += top - volume + np.log(mass / n)
        if with_gradient:
            for m in range(n):
                share = weight[m] / mass
                for j in range(k):
                    away = (theta[s, m, j] - mu[j]) * inverse[j]
                    by_mu[j] += share * away * inverse[j]
                    by_log_tau[j] += share * (away * away - 1.0)
    return total, by_mu, by_log_tau


@compiled
def choose(theta: Floats, log_reference: Floats, mu: Floats, tau: Floats, uniform: Floats) -> tuple[Floats, Floats]:
    """For each draw of the population (d, k) one of each segment's (d, segments, k), by its weight; and the effective
    number of draws behind each segment (segments,), on average. `uniform` (d, segments) decides."""
    segments, n, k = theta.shape
    draws = mu.shape[0]
    chosen = np.empty((draws, segments, k))
    effective = np.zeros(segments)
    weight = np.empty(n)
    for s in range(segments):
        for d in range(draws):
            top = -np.inf
            for m in range(n):
                value = -log_reference[s, m]
                for j in range(k):
                    away = (theta[s, m, j] - mu[d, j]) / tau[d, j]
                    value -= 0.5 * away * away
                weight[m] = value
                top = max(top, value)
            mass, squares = 0.0, 0.0
            for m in range(n):
                weight[m] = np.exp(weight[m] - top)
                mass += weight[m]
                squares += weight[m] * weight[m]
            effective[s] += mass * mass / squares / draws
            wanted, seen, at = uniform[d, s] * mass, 0.0, 0
            for m in range(n):
                seen += weight[m]
                at = m
                if seen >= wanted:
                    break
            chosen[d, s] = theta[s, at]
    return chosen, effective
