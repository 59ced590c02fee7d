"""NUTS on the grouped likelihood, by nutpie: what decides where importance weights cannot be trusted.

The kernel is called as it is, so nothing has to be compiled; `pymc_model` gives the same posterior to PyMC.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from retentioncast.models.arrays import Floats

CHAINS = 4
_TUNE, _DRAWS = 500, 500
#: 255 steps a draw at most: whitened chains take some 10; where all is flat, more would not help, and take minutes.
_DEEPEST = 8
#: Log parameters beyond this cannot be raised to a power: a trajectory that goes there has diverged.
_FARTHEST = 50.0


class Density(Protocol):
    """A posterior to be sampled: log density and gradient at a point (k,), log densities (n,) of points (n, k)."""

    def __call__(self, point: Floats) -> tuple[float, Floats]: ...

    def densities(self, points: Floats) -> Floats: ...


@dataclass(frozen=True, slots=True, eq=False)
class Sampled:
    """Points (chains, draws, k), their log densities (chains, draws), the largest R-hat, the least effective size."""

    points: Floats
    log_density: Floats
    r_hat: float
    ess: float


def sample_nuts(target: Density, centre: Floats, covariance: Floats, seed: int) -> Sampled:
    """Four chains from around a centre (k,), in coordinates in which the covariance (k, k) is 1."""
    root = np.linalg.cholesky(covariance)
    whitened = _run(target, centre, root, seed)
    points = centre + whitened @ root.T
    log_density = target.densities(points.reshape(-1, centre.size)).reshape(points.shape[:2])
    return Sampled(points, log_density, *_diagnose(points))


def _run(target: Density, centre: Floats, root: Floats, seed: int) -> Floats:
    import nutpie
    from nutpie.compiled_pyfunc import from_pyfunc

    k = centre.size

    def log_density(z: Floats) -> tuple[float, Floats]:
        point = centre + root @ z
        if np.abs(point).max() > _FARTHEST:
            return -math.inf, np.zeros(k)
        value, gradient = target(point)
        return value, root.T @ gradient

    def start(chain_seed: int) -> Floats:
        return np.random.default_rng(chain_seed).standard_normal(k)

    model = from_pyfunc(
        k, lambda: log_density, lambda *_: lambda z: {"z": z}, [np.dtype(np.float64)], [(k,)], ["z"],
        make_initial_point_fn=start,
    )  # fmt: skip
    settings: dict[str, Any] = {
        "chains": CHAINS,
        "tune": _TUNE,
        "draws": _DRAWS,
        "cores": 2,
        "seed": seed,
        "maxdepth": _DEEPEST,
    }
    trace = nutpie.sample(model, **settings, progress_bar=False, save_warmup=False)
    return np.asarray(trace["posterior"]["z"].to_numpy(), dtype=np.float64)


def _diagnose(points: Floats) -> tuple[float, float]:
    """The largest rank-normalised split R-hat and the least bulk effective size of the coordinates."""
    from arviz_stats.base import array_stats

    each = [points[:, :, i] for i in range(points.shape[2])]
    return max(float(array_stats.rhat(c)) for c in each), min(float(array_stats.ess(c)) for c in each)
