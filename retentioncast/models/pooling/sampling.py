"""NUTS over population and segments: by nutpie on our own gradient, or by PyMC on the same model in its words."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from retentioncast.models.arrays import Floats
from retentioncast.models.pooling.empirical import Population
from retentioncast.models.pooling.joint import JointDensity

if TYPE_CHECKING:
    from xarray import DataTree

Sampler = Literal["nutpie", "pymc"]
#: Logs of parameters beyond this cannot be raised to a power: a trajectory that goes there has diverged.
FARTHEST = 50.0
#: What is kept of a sampler's own statistics.
STATISTICS = ("diverging", "energy", "tree_depth")
_NUTPIES = {"diverging": "diverging", "energy": "energy", "tree_depth": "depth"}


@dataclass(frozen=True, slots=True)
class Sampling:
    """How to sample: chains, draws and tuning steps of each, target acceptance, the greatest tree depth, seed, and
    whether segments are told by their own parameters (centred) or by their distance from the population."""

    sampler: Sampler = "nutpie"
    chains: int = 4
    draws: int = 2000
    tune: int = 1000
    target_accept: float = 0.8
    max_depth: int = 10
    seed: int = 0
    centred: bool = False


def sample_joint(density: JointDensity, asked: Sampling, population: Population) -> DataTree:
    """Draws as ArviZ takes them: mu, tau, theta (chain, draw, ...) and sample_stats (diverging, energy, tree_depth);
    chains begin near the given population."""
    by = _by_pymc if asked.sampler == "pymc" else _by_nutpie
    tree = by(density, asked, population)
    tree["posterior"].attrs |= {"source": "nuts", "sampler": asked.sampler, "max_depth": asked.max_depth}
    return tree


def _by_nutpie(density: JointDensity, asked: Sampling, population: Population) -> DataTree:
    segments, k = density.shape
    size = 2 * k + segments * k

    def log_density(point: Floats) -> tuple[float, Floats]:
        if np.abs(point).max() > FARTHEST or np.abs(density.split(point)[2]).max() > FARTHEST:
            return -math.inf, np.zeros(size)
        return density(point)

    return _told(density, *run_nutpie(log_density, size, lambda seed: start_point(density, population, seed), asked))


def run_nutpie(
    log_density: Callable[[Floats], tuple[float, Floats]], size: int, start: Callable[[int], Floats], asked: Sampling
) -> tuple[Floats, dict[str, Any]]:
    """Points (chain, draw, size) of a density with its gradient, and the sampler's statistics (chain, draw) by name."""
    import nutpie
    from nutpie.compiled_pyfunc import from_pyfunc

    model = from_pyfunc(
        size, lambda: log_density, lambda *_: lambda x: {"x": x}, [np.dtype(np.float64)], [(size,)], ["x"],
        make_initial_point_fn=start,
    )  # fmt: skip
    settings: dict[str, Any] = {"maxdepth": asked.max_depth, "target_accept": asked.target_accept}
    trace = nutpie.sample(
        model, chains=asked.chains, draws=asked.draws, tune=asked.tune, seed=asked.seed, cores=2, progress_bar=False,
        save_warmup=False, **settings,
    )  # fmt: skip
    points = np.asarray(trace["posterior"]["x"].to_numpy(), dtype=np.float64)
    return points, {name: trace["sample_stats"][_NUTPIES[name]].to_numpy() for name in STATISTICS}


def start_point(density: JointDensity, population: Population, seed: int) -> Floats:
    """Near the population, another for each chain."""
    segments, k = density.shape
    rng = np.random.default_rng(seed)
    mu = population.mu + 0.1 * rng.standard_normal(k)
    log_tau = np.log(np.maximum(population.tau, 0.1)) + 0.2 * rng.standard_normal(k)
    z = 0.3 * rng.standard_normal((segments, k))
    return np.concatenate([mu, log_tau, (mu + np.exp(log_tau) * z if density.centred else z).ravel()])


def _told(density: JointDensity, points: Floats, stats: dict[str, Any]) -> DataTree:
    """Points (chain, draw, size) by name."""
    import arviz_base

    mu, tau, theta = density.split(points)
    tree: DataTree = arviz_base.from_dict(
        {"posterior": {"mu": mu, "tau": tau, "theta": theta}, "sample_stats": stats},
        dims={"mu": ["parameter"], "tau": ["parameter"], "theta": ["segment", "parameter"]},
        coords={"parameter": list(density.prior.names)},
    )
    return tree


def _by_pymc(density: JointDensity, asked: Sampling, population: Population) -> DataTree:
    import pymc as pm

    from retentioncast.models.pooling.pymc_model import make_pymc_model

    with warnings.catch_warnings(), make_pymc_model(density):
        warnings.filterwarnings("ignore", message="Numba will use object mode", category=UserWarning)
        trace = pm.sample(
            draws=asked.draws, tune=asked.tune, chains=asked.chains, cores=1, random_seed=asked.seed,
            target_accept=asked.target_accept, progressbar=False, compute_convergence_checks=False,
            nuts_sampler="pymc", nuts={"max_treedepth": asked.max_depth}, initvals=_initial(density, asked, population),
        )  # fmt: skip
    posterior, stats = trace["posterior"], trace["sample_stats"]
    parts = [posterior["mu"].to_numpy(), np.log(posterior["tau"].to_numpy()), posterior["own"].to_numpy()]
    points = np.concatenate([*parts[:2], parts[2].reshape(*parts[2].shape[:2], -1)], axis=2)
    return _told(density, points, {name: stats[name].to_numpy() for name in STATISTICS})


def _initial(density: JointDensity, asked: Sampling, population: Population) -> list[dict[str, Floats]]:
    k = density.shape[1]
    points = [start_point(density, population, asked.seed + chain) for chain in range(asked.chains)]
    return [{"mu": p[:k], "tau": np.exp(p[k : 2 * k]), "own": p[2 * k :].reshape(density.shape)} for p in points]
