"""From observed rows to draws of the posterior: the mode, importance draws around it, and NUTS where those fail."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from retentioncast.core.errors import InvalidInput
from retentioncast.models.arrays import Floats
from retentioncast.models.btyd.optimum import Optimum
from retentioncast.models.populations.adaptive import shape_of, weigh_modes
from retentioncast.models.populations.identification import describe, overlaps
from retentioncast.models.populations.modes import find_modes, walk
from retentioncast.models.populations.nuts import Chains, sample_nutpie
from retentioncast.models.uncertainty.importance import Weighed, resample

if TYPE_CHECKING:
    from xarray import DataTree

    from retentioncast.models.populations.mixture import Observed

logger = logging.getLogger(__name__)

Source = Literal["psis", "nutpie", "pymc", "map", "em"]


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked of `fit`."""

    draws: int
    tune: int
    chains: int
    sampler: str
    target_accept: float
    seed: int
    method: str

    def __post_init__(self) -> None:
        if self.method not in ("posterior", "map", "em"):
            raise InvalidInput(f"method is {self.method!r}.", "Choose posterior, map or em.")
        if self.sampler not in ("auto", "psis", "nutpie", "pymc"):
            raise InvalidInput(f"sampler is {self.sampler!r}.", "Choose auto, psis, nutpie or pymc.")
        if min(self.draws, self.chains) < 1 or self.tune < 0 or not 0 < self.target_accept < 1:
            raise InvalidInput(
                "draws and chains must be at least 1, tune at least 0, target_accept between 0 and 1.",
                "Leave them at their defaults if in doubt.",
            )


@dataclass(frozen=True, slots=True, eq=False)
class Draws:
    """Draws (chains, draws, size) of u, how they came about, and what they say in readable form."""

    u: Floats
    source: Source
    #: Of the importance weights that were tried last; NaN where none were.
    pareto_k: float
    inference_data: DataTree
    overlap: Mapping[str, float]
    notes: list[str] = field(default_factory=list)

    @property
    def flat(self) -> Floats:
        return flattened(self.u)


def flattened(u: Floats) -> Floats:
    """Draws (chains, draws, size) as (chains x draws, size)."""
    return u.reshape(u.shape[0] * u.shape[1], u.shape[2])


def fit(observed: Observed, request: Request) -> Draws:
    """Draws as requested. Raises FitFailed where no mode can be trusted."""
    posterior = observed.posterior
    if request.method == "em":
        steps = walk(posterior, posterior.layout.start())
        found = Chains(steps.u[None, None], {"lp": np.array([[steps.log_densities[-1]]])})
        return _finish(observed, found, "em", np.nan)
    if posterior.layout.size == 0:  # one segment, all of it given
        return _finish(observed, Chains(np.zeros((1, 1, 0)), {"lp": np.zeros((1, 1))}), "map", np.nan)
    modes = find_modes(posterior, request.seed)
    optimum = modes[0]
    if request.method == "map":
        found = Chains(optimum.log_parameters[None, None], {"lp": np.array([[optimum.log_likelihood]])})
        return _finish(observed, found, "map", np.nan)
    return _sample(observed, modes, request)


def _sample(observed: Observed, modes: list[Optimum], request: Request) -> Draws:
    posterior, pareto_k, around = observed.posterior, np.nan, modes[0]
    if request.sampler in ("auto", "psis"):
        weighed = weigh_modes(modes, posterior, request.seed)
        pareto_k = float(weighed.smoothed.pareto_k)
        if weighed.trusted or request.sampler == "psis":
            return _finish(observed, _resampled(weighed, request), "psis", pareto_k, weighed.smoothed.ess)
        logger.info("importance weights have k = %.2f; NUTS decides", pareto_k, extra={"action": "nuts"})
        around = shape_of(weighed, modes[0])
    if request.sampler == "pymc":
        from retentioncast.models.populations.pymc_model import sample_pymc

        return _finish(observed, sample_pymc(posterior, around, request), "pymc", np.nan)
    return _finish(observed, sample_nutpie(posterior, around, request), "nutpie", pareto_k)


def _resampled(weighed: Weighed, request: Request) -> Chains:
    places = resample(weighed.smoothed.weights, request.chains * request.draws, request.seed)
    shape = (request.chains, request.draws)
    return Chains(weighed.points[places].reshape(*shape, -1), {"lp": weighed.log_density[places].reshape(shape)})


def _finish(
    observed: Observed, chains: Chains, source: Source, pareto_k: float, importance_ess: float = np.nan
) -> Draws:
    layout = observed.posterior.layout
    prior = layout.prior_draws(2000, np.random.default_rng(1))
    overlap = {} if source in ("map", "em") else overlaps(layout, prior, flattened(chains.u))
    notes = describe(observed, overlap)
    how = {"source": source, "pareto_k": pareto_k, "importance_ess": importance_ess, "notes": notes}
    data = _inference_data(observed, chains, prior, how)
    return Draws(chains.u, source, pareto_k, data, overlap, notes)


def _inference_data(observed: Observed, chains: Chains, prior: Floats, attributes: Mapping[str, Any]) -> DataTree:
    import arviz_base

    layout = observed.posterior.layout
    groups = {
        "posterior": layout.readable(chains.u),
        "prior": layout.readable(prior[None]),
        "sample_stats": chains.statistics,
    }
    names = [segment.name for segment in layout.segments]
    data: DataTree = arviz_base.from_dict(groups, coords={"segment": names}, dims={"mix": ["segment"]})
    data.attrs.update(attributes)
    return data
