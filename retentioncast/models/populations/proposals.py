"""Mixtures of Student's t to draw a posterior's points from: laid over its modes, or fitted to weighted points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import multivariate_t

from retentioncast.models.arrays import Floats
from retentioncast.models.btyd.optimum import Optimum

#: Tails heavier than the posterior's.
_DEGREES = 5
#: A mode that was found keeps at least this share of the draws, however little its height promises.
_LEAST_SHARE = 0.05
#: Curves that a posterior's bent shape is covered with.
_CURVES = 4
_EM_STEPS = 15
#: Covariances are never narrower than this part of all points'.
_RIDGE = 0.1
#: This share is drawn from one curve over everything, so many times as wide: where the others have not looked.
_WIDE_SHARE, _WIDE = 0.2, 2.0


@dataclass(frozen=True, slots=True, eq=False)
class Proposal:
    """A mixture of Student's t: shares (C,), centres (C, k), covariances (C, k, k)."""

    shares: Floats
    centres: Floats
    covariances: Floats

    def draw(self, n: int, rng: np.random.Generator) -> Floats:
        """n points (n, k)."""
        counts = rng.multinomial(n, self.shares)
        drawn = [
            curve.rvs(int(count), random_state=rng).reshape(int(count), -1)
            for curve, count in zip(self._curves(), counts, strict=True)
            if count
        ]
        return np.concatenate(drawn)

    def log_parts(self, points: Floats) -> Floats:
        """Log of each curve's share of the density at points (n, k): (n, C)."""
        logs = [np.atleast_1d(curve.logpdf(points)) for curve in self._curves()]
        return np.asarray(np.log(self.shares) + np.stack(logs, axis=1))

    def log_density(self, points: Floats) -> Floats:
        """At points (n, k): (n,)."""
        return np.asarray(np.logaddexp.reduce(self.log_parts(points), axis=1))

    def _curves(self) -> list[multivariate_t]:
        return [multivariate_t(c, v, _DEGREES) for c, v in zip(self.centres, self.covariances, strict=True)]


def over_modes(modes: Sequence[Optimum]) -> Proposal:
    """A curve a mode, by the mass that a normal of its height and width holds (Laplace)."""
    masses = np.array([log_mass(mode) for mode in modes])
    shares = np.maximum(np.exp(masses - masses.max()), _LEAST_SHARE)
    centres, covariances = (np.array([getattr(m, n) for m in modes]) for n in ("log_parameters", "covariance"))
    return Proposal(shares / shares.sum(), centres, covariances)


def log_mass(mode: Optimum) -> float:
    """Laplace's approximation of a mode's mass, up to a constant that all modes share."""
    return float(mode.log_likelihood + 0.5 * np.linalg.slogdet(mode.covariance)[1])


def refitted(points: Floats, weights: Floats, narrow: Floats, rng: np.random.Generator) -> Proposal:
    """A mixture fitted by EM to points (n, k) with weights (n,), and a wide curve over all of them.

    `narrow` (k, k) keeps a covariance from collapsing where few points have weight.
    """
    centre, spread = moments(points, weights)
    ridge = _RIDGE * spread + 1e-3 * narrow
    chosen = rng.choice(len(points), _CURVES, p=weights)
    found = Proposal(np.full(_CURVES, 1 / _CURVES), points[chosen], np.repeat(spread[None] / 2 + ridge, _CURVES, 0))
    for _ in range(_EM_STEPS):
        found = _em_step(found, points, weights, ridge)
    shares = np.append(found.shares * (1 - _WIDE_SHARE), _WIDE_SHARE)
    centres = np.concatenate([found.centres, centre[None]])
    return Proposal(shares, centres, np.concatenate([found.covariances, _WIDE**2 * (spread + ridge)[None]]))


def _em_step(proposal: Proposal, points: Floats, weights: Floats, ridge: Floats) -> Proposal:
    logs = proposal.log_parts(points)
    parts = np.exp(logs - np.logaddexp.reduce(logs, axis=1)[:, None]) * weights[:, None]
    shares = np.maximum(parts.sum(axis=0), 1e-3)
    fitted = [moments(points, part / max(part.sum(), 1e-12)) for part in parts.T]
    return Proposal(
        shares / shares.sum(),
        np.array([centre for centre, _ in fitted]),
        np.array([covariance + ridge for _, covariance in fitted]),
    )


def moments(points: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Mean (k,) and covariance (k, k) of points (n, k) under weights (n,) that sum to 1."""
    centre = weights @ points
    away = points - centre
    return centre, away.T @ (away * weights[:, None])
