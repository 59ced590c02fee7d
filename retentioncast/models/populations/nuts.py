"""NUTS on the grouped log posterior, by nutpie, in coordinates in which the mode's covariance is 1."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from retentioncast.models.arrays import Floats
from retentioncast.models.btyd.optimum import Optimum
from retentioncast.models.populations.density import Posterior

if TYPE_CHECKING:
    from retentioncast.models.populations.fitting import Request

#: u beyond this is a hundred prior standard deviations away: a trajectory that goes there has diverged.
_FARTHEST = 100.0
_STATISTICS = {"logp": "lp", "diverging": "diverging", "depth": "tree_depth", "n_steps": "n_steps",
               "step_size": "step_size", "mean_tree_accept": "acceptance_rate"}  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Chains:
    """u (chains, draws, size) and statistics of each draw (chains, draws)."""

    u: Floats
    statistics: Mapping[str, np.ndarray[Any, Any]]


def sample_nutpie(posterior: Posterior, optimum: Optimum, request: Request) -> Chains:
    """Chains from around the mode."""
    import nutpie
    from nutpie.compiled_pyfunc import from_pyfunc

    k, centre = optimum.log_parameters.size, optimum.log_parameters
    root = np.linalg.cholesky(optimum.covariance)

    def log_density(z: Floats) -> tuple[float, Floats]:
        u = centre + root @ z
        if np.abs(u - centre).max() > _FARTHEST:
            return -np.inf, np.zeros(k)
        value, gradient = posterior.log_density_and_gradient(u)
        return value, root.T @ gradient

    def start(seed: int) -> Floats:
        return np.random.default_rng(seed).standard_normal(k)

    model = from_pyfunc(
        k, lambda: log_density, lambda *_: lambda z: {"z": z}, [np.dtype(np.float64)], [(k,)], ["z"],
        make_initial_point_fn=start,
    )  # fmt: skip
    trace = nutpie.sample(
        model, draws=request.draws, tune=request.tune, chains=request.chains, seed=request.seed,
        target_accept=request.target_accept, progress_bar=False, save_warmup=False,
    )  # fmt: skip
    z = np.asarray(trace["posterior"]["z"].to_numpy(), dtype=np.float64)
    there = trace["sample_stats"]
    statistics = {name: there[theirs].to_numpy() for theirs, name in _STATISTICS.items() if theirs in there}
    return Chains(centre + z @ root.T, statistics)
