"""NUTS over population and segments: by nutpie on our own gradient, or by PyMC on the same model written in its words."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from retentioncast.models.arrays import Floats
from retentioncast.models.pooling.joint import JointDensity

if TYPE_CHECKING:
    from xarray import DataTree

Sampler = Literal["nutpie", "pymc"]
_FARTHEST = 50.0


@dataclass(frozen=True, slots=True)
class Sampling:
    """How to sample: chains, draws and tuning steps of each, target acceptance, the greatest tree depth, seed."""

    sampler: Sampler = "nutpie"
    chains: int = 4
    draws: int = 2000
    tune: int = 1000
    target_accept: float = 0.8
    max_depth: int = 10
    seed: int = 0


def sample_joint(density: JointDensity, asked: Sampling) -> DataTree:
    """Draws as ArviZ takes them: mu, tau, theta (chain, draw, ...) and sample_stats (diverging, energy, depth)."""
    return _by_pymc(density, asked) if asked.sampler == "pymc" else _by_nutpie(density, asked)


def _by_nutpie(density: JointDensity, asked: Sampling) -> DataTree:
    import nutpie
    from nutpie.compiled_pyfunc import from_pyfunc

    segments, k = density.shape
    size = 2 * k + segments * k

    def log_density(point: Floats) -> tuple[float, Floats]:
        if np.abs(point).max() > _FARTHEST:
            return -math.inf, np.zeros(size)
        return density(point)

    def start(seed: int) -> Floats:
        return start_point(density, seed)

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
    stats = {name: trace["sample_stats"][name].to_numpy() for name in ("diverging", "energy", "depth")}
    return told(density, points, stats)


def start_point(density: JointDensity, seed: int) -> Floats:
    """Near the prior's centre, another for each chain."""
    segments, k = density.shape
    rng = np.random.default_rng(seed)
    mu = density.prior.centre + 0.3 * rng.standard_normal(k)
    log_tau = np.log(0.3) + 0.2 * rng.standard_normal(k)
    z = 0.3 * rng.standard_normal((segments, k))
    return np.concatenate([mu, log_tau, (mu + np.exp(log_tau) * z if density.centred else z).ravel()])


def told(density: JointDensity, points: Floats, stats: dict[str, Any]) -> DataTree:
    """Points (chain, draw, size) by name."""
    import arviz_base

    mu, tau, theta = density.split(points)
    tree: DataTree = arviz_base.from_dict(
        {"posterior": {"mu": mu, "tau": tau, "theta": theta}, "sample_stats": stats},
        dims={"mu": ["parameter"], "tau": ["parameter"], "theta": ["segment", "parameter"]},
        coords={"parameter": list(density.prior.names)},
    )
    return tree


def _by_pymc(density: JointDensity, asked: Sampling) -> DataTree:
    import pymc as pm

    from retentioncast.models.pooling.pymc_model import make_pymc_model

    with make_pymc_model(density):
        trace = pm.sample(
            draws=asked.draws, tune=asked.tune, chains=asked.chains, cores=1, random_seed=asked.seed,
            target_accept=asked.target_accept, progressbar=False, compute_convergence_checks=False,
            nuts_sampler="pymc", nuts={"max_treedepth": asked.max_depth},
        )  # fmt: skip
    posterior, stats = trace["posterior"], trace["sample_stats"]
    parts = [posterior["mu"].to_numpy(), np.log(posterior["tau"].to_numpy()), posterior["own"].to_numpy()]
    points = np.concatenate([*parts[:2], parts[2].reshape(*parts[2].shape[:2], -1)], axis=2)
    named = {"diverging": "diverging", "energy": "energy", "depth": "tree_depth"}
    return told(density, points, {ours: stats[theirs].to_numpy() for ours, theirs in named.items()})
