"""Pareto-smoothed importance sampling: the weights' tail is replaced by a fitted one, whose shape is a warning.

Vehtari, Simpson, Gelman, Yao & Gabry (2024), "Pareto smoothed importance sampling", JMLR 25(72), algorithm 1; the
generalised Pareto fit is that of Zhang & Stephens (2009), Technometrics 51(3), with the paper's weak prior on k.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from retentioncast.models.arrays import Floats

#: Above this shape the weights cannot be trusted, however many draws there are.
HIGHEST_K = 0.7
_FEWEST_IN_TAIL = 5


@dataclass(frozen=True, slots=True, eq=False)
class Smoothed:
    """Normalised weights (n,), the Pareto shape k of their tail, and the draws' worth in independent ones."""

    weights: Floats
    pareto_k: float
    ess: float


def smooth_weights(log_ratios: Floats) -> Smoothed:
    """Smooth the importance ratios (n,), given by their logarithms; a ratio that is not finite weighs nothing."""
    logs = np.where(np.isfinite(log_ratios), log_ratios, -np.inf)
    if not np.any(np.isfinite(logs)):
        return Smoothed(np.full(logs.size, 1 / logs.size), math.inf, 0.0)
    logs = logs - logs.max()
    order = np.argsort(logs, kind="stable")
    tail = order[-_tail_size(logs.size) :]
    cutoff = float(logs[order[-tail.size - 1]]) if tail.size < logs.size else -math.inf
    k = _smooth_tail(logs, tail, cutoff) if np.isfinite(cutoff) else math.inf
    weights = np.exp(logs)
    weights /= weights.sum()
    return Smoothed(weights, k, float(1 / np.square(weights).sum()))


def highest_k(n: int) -> float:
    """The k up to which n draws are enough (eq. 13): 0.67 for 1,000, never above 0.7."""
    return min(1 - 1 / math.log10(n), HIGHEST_K)


def _tail_size(n: int) -> int:
    return int(min(0.2 * n, 3 * math.sqrt(n)))


def _smooth_tail(logs: Floats, tail: np.ndarray[tuple[int], np.dtype[np.int64]], cutoff: float) -> float:
    """Replace the tail's ratios, in place, by the fitted Pareto's quantiles, none above the largest; returns k."""
    above = np.exp(logs[tail]) - math.exp(cutoff)
    if tail.size < _FEWEST_IN_TAIL:
        return math.inf
    if above[-1] <= 1e-8:  # all ratios are equal, but for rounding: there is no tail
        return -math.inf
    k, scale = fit_pareto(np.maximum(above, 1e-300))
    share = (np.arange(tail.size) + 0.5) / tail.size
    quantiles = scale * (np.expm1(-k * np.log1p(-share)) / k if abs(k) > 1e-12 else -np.log1p(-share))
    logs[tail] = np.minimum(np.log(quantiles + math.exp(cutoff)), 0.0)
    return k


def fit_pareto(excesses: Floats) -> tuple[float, float]:
    """Shape k and scale of the generalised Pareto distribution of ascending excesses (n,)."""
    n = excesses.size
    points = 30 + int(math.sqrt(n))
    theta = (1 - np.sqrt(points / (np.arange(1, points + 1) - 0.5))) / (3 * excesses[int(n / 4 + 0.5) - 1])
    theta = theta + 1 / excesses[-1]
    shapes = np.log1p(-theta[:, None] * excesses).mean(axis=1)
    log_profile = n * (np.log(-theta / shapes) - shapes - 1)
    weights = np.exp(log_profile - log_profile.max())
    best = float(weights @ theta / weights.sum())
    k = float(np.log1p(-best * excesses).mean())
    return (n * k + 10 * 0.5) / (n + 10), -k / best
