"""NUTS over population, segments and customers: by nutpie on our own gradient, or by PyMC on the model in its words."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from retentioncast.models.arrays import Floats
from retentioncast.models.clv.individual.density import IndividualDensity
from retentioncast.models.pooling.pool import Start
from retentioncast.models.pooling.sampling import FARTHEST, STATISTICS, Sampling, run_nutpie

if TYPE_CHECKING:
    from xarray import DataTree


def sample_individuals(
    density: IndividualDensity, asked: Sampling, customers: list[Any], start: Start | None = None
) -> DataTree:
    """Draws as ArviZ takes them: mu, tau, theta and the effects by name (chain, draw, ...), and sample_stats.

    `customers` (n,) are their labels; chains begin near `start`, mu and tau (k,), else near the prior's middle.
    """
    begin = start or (density.prior.centre, np.full(density.shape[1], density.prior.scatter))
    run = _by_pymc if asked.sampler == "pymc" else _by_nutpie
    points, stats = run(density, asked, begin)
    tree = _told(density, points, stats, customers)
    tree["posterior"].attrs |= {"source": "nuts", "sampler": asked.sampler, "max_depth": asked.max_depth}
    return tree


def start_point(density: IndividualDensity, begin: Start, seed: int) -> Floats:
    """Near the given population, another for each chain."""
    (segments, k), rng = density.shape, np.random.default_rng(seed)
    mu, tau = begin[0] + 0.1 * rng.standard_normal(k), np.maximum(begin[1], 0.1)
    tau = tau * np.exp(0.2 * rng.standard_normal(k))
    z = 0.3 * rng.standard_normal((segments, k))
    own = mu + tau * z if density.centred else z
    return np.concatenate([mu, np.log(tau), own.ravel(), 0.3 * rng.standard_normal(density.sizes[1])])


def _by_nutpie(density: IndividualDensity, asked: Sampling, begin: Start) -> tuple[Floats, dict[str, Any]]:
    size = sum(density.sizes)

    def log_density(point: Floats) -> tuple[float, Floats]:
        if np.abs(point).max() > FARTHEST or np.abs(density.split(point)[2]).max() > FARTHEST:
            return -math.inf, np.zeros(size)
        return density(point)

    return run_nutpie(log_density, size, lambda seed: start_point(density, begin, seed), asked)


def _by_pymc(density: IndividualDensity, asked: Sampling, begin: Start) -> tuple[Floats, dict[str, Any]]:
    import pymc as pm

    from retentioncast.models.clv.individual.pymc_model import make_pymc_model, variables_of

    points = [start_point(density, begin, asked.seed + chain) for chain in range(asked.chains)]
    with np.errstate(over="ignore"), make_pymc_model(density):  # a trajectory that goes so far has diverged
        trace = pm.sample(
            draws=asked.draws, tune=asked.tune, chains=asked.chains, cores=1, random_seed=asked.seed,
            target_accept=asked.target_accept, progressbar=False, compute_convergence_checks=False,
            nuts_sampler="pymc", nuts={"max_treedepth": asked.max_depth},
            initvals=[variables_of(density, point) for point in points],
        )  # fmt: skip
    posterior = trace["posterior"]
    names = ["own", *(f"{name}_effect" for name in density.customers.names)]
    flat = [posterior[name].to_numpy().reshape(asked.chains, asked.draws, -1) for name in names]
    head = [posterior["mu"].to_numpy(), np.log(posterior["tau"].to_numpy())]
    return np.concatenate([*head, *flat], axis=2), {name: trace["sample_stats"][name].to_numpy() for name in STATISTICS}


def _told(density: IndividualDensity, points: Floats, stats: dict[str, Any], customers: list[Any]) -> DataTree:
    """Points (chain, draw, size) by name."""
    import arviz_base

    mu, tau, theta, _ = density.split(points)
    effects = dict(density.values(points))
    tree: DataTree = arviz_base.from_dict(
        {"posterior": {"mu": mu, "tau": tau, "theta": theta, **effects}, "sample_stats": stats},
        dims={"mu": ["parameter"], "tau": ["parameter"], "theta": ["segment", "parameter"]}
        | {name: ["customer"] for name in effects},
        coords={"parameter": list(density.prior.names), "customer": customers},
    )
    return tree
