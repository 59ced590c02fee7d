"""The same posterior as a PyMC model: PyMC's own priors, the grouped likelihood as one operation with its gradient."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pymc
import pytensor.tensor as pt
from pytensor.compile.mode import Mode
from pytensor.graph.basic import Apply
from pytensor.graph.op import Op

from retentioncast.models.arrays import Floats
from retentioncast.models.btyd.optimum import Optimum
from retentioncast.models.populations.density import Posterior
from retentioncast.models.populations.laws import WIDTH
from retentioncast.models.populations.layout import GAP_SD, Layout, Slot
from retentioncast.models.populations.nuts import Chains
from retentioncast.models.populations.pymc_priors import prior_of

if TYPE_CHECKING:
    from retentioncast.models.populations.fitting import Request


#: The operation is Python already: compiling what stands around it takes longer than it saves.
MODE = Mode(linker="py", optimizer="fast_compile")


class _Slopes(Op):  # type: ignore[misc]
    """Slopes of the log likelihood in the log mix and the parameters."""

    def __init__(self, posterior: Posterior) -> None:
        self.posterior = posterior

    def make_node(self, log_mix: Any, etas: Any) -> Apply:
        return Apply(self, [log_mix, etas], [pt.dvector(), pt.dvector()])

    def perform(self, node: Apply, inputs: list[Any], outputs: list[list[Any]]) -> None:
        _, outputs[0][0], outputs[1][0] = self.posterior.log_likelihood(*inputs)


class _LogLikelihood(Op):  # type: ignore[misc]
    """The log likelihood of all rows, labels marginalised out."""

    def __init__(self, posterior: Posterior) -> None:
        self.posterior, self.slopes = posterior, _Slopes(posterior)

    def make_node(self, log_mix: Any, etas: Any) -> Apply:
        return Apply(self, [pt.as_tensor(log_mix), pt.as_tensor(etas)], [pt.dscalar()])

    def perform(self, node: Apply, inputs: list[Any], outputs: list[list[Any]]) -> None:
        outputs[0][0] = np.asarray(self.posterior.log_likelihood(*inputs)[0])

    def pullback(self, inputs: Any, outputs: Any, cotangents: Any) -> list[Any]:
        by_mix, by_eta = self.slopes(*inputs)
        return [cotangents[0] * by_mix, cotangents[0] * by_eta]


def make_pymc_model(posterior: Posterior) -> Any:
    """A pymc.Model with `mix` and each parameter under its readable name."""
    layout = posterior.layout
    with pymc.Model(coords={"segment": [segment.name for segment in layout.segments]}) as model:
        mix = pymc.Dirichlet("mix", layout.dirichlet, dims="segment")
        etas: list[Any] = []
        for slot in layout.slots:
            etas.append(_eta(layout, slot, etas))
        pymc.Potential("likelihood", _LogLikelihood(posterior)(pt.log(mix), pt.stack(etas)))
    return model


def _eta(layout: Layout, slot: Slot, before: list[Any]) -> Any:
    """The slot's parameter on its own scale."""
    if slot.anchor is not None:
        offset = pymc.Flat(f"{slot.name}.offset", initval=0.0)
        value = pymc.Deterministic(slot.name, slot.anchor + WIDTH * offset)
        prior = pymc.logp(pymc.LogNormal.dist(slot.centre, slot.sd), value)
        pymc.Potential(f"{slot.name}.prior", prior)
        return value
    if slot.behind is not None:
        eta = before[slot.behind] + slot.gap * pt.exp(GAP_SD * pymc.Normal(f"{slot.name}.gap"))
        pymc.Deterministic(slot.name, _from(slot.scale, eta))
        return eta
    segment = layout.segments[slot.segment]
    distribution = segment.distribution(slot.role)
    assert distribution is not None
    parameter = distribution.family.parameters[slot.position]
    value = prior_of(segment, slot.role, parameter, distribution.values[slot.position])
    return pt.log(value) if slot.scale == "log" else _logit(value) if slot.scale == "logit" else value


def _logit(p: Any) -> Any:
    return pt.log(p) - pt.log1p(-p)


def _from(scale: str, eta: Any) -> Any:
    return pt.exp(eta) if scale == "log" else pt.sigmoid(eta) if scale == "logit" else eta


def sample_pymc(posterior: Posterior, optimum: Optimum, request: Request) -> Chains:
    """PyMC's own NUTS, from around the mode."""
    layout = posterior.layout
    with make_pymc_model(posterior):
        trace = pymc.sample(
            draws=request.draws, tune=request.tune, chains=request.chains, cores=1, random_seed=request.seed,
            target_accept=request.target_accept, progressbar=False, compute_convergence_checks=False,
            nuts_sampler="pymc", compile_kwargs={"mode": MODE}, initvals=readable_point(layout, optimum.log_parameters),
        )  # fmt: skip
    there = trace["posterior"]
    statistics = {n: trace["sample_stats"][n].to_numpy() for n in ("lp", "diverging", "tree_depth", "n_steps")}
    return Chains(_u_of(layout, there), statistics)


def readable_point(layout: Layout, u: Floats) -> dict[str, Any]:
    """The model's variables at u."""
    found: dict[str, Any] = {"mix": np.exp(layout.log_mix(u))}
    readable = layout.readable(u)
    for i, slot in enumerate(layout.slots, layout.n_mix):
        if slot.anchor is not None:
            found[f"{slot.name}.offset"] = float(u[i])
        elif slot.behind is not None:
            found[f"{slot.name}.gap"] = float(u[i])
        else:
            found[slot.name] = float(readable[slot.name])
    return found


def _u_of(layout: Layout, there: Any) -> Floats:
    """The draws as u (chains, draws, size)."""
    mix = np.maximum(there["mix"].to_numpy(), 1e-300)
    columns = [np.log(mix[..., k] / mix[..., -1]) for k in range(layout.n_mix)]
    for slot in layout.slots:
        if slot.anchor is not None:
            columns.append(there[f"{slot.name}.offset"].to_numpy())
        elif slot.behind is not None:
            columns.append(there[f"{slot.name}.gap"].to_numpy())
        else:
            value = there[slot.name].to_numpy()
            eta = (
                np.log(value)
                if slot.scale == "log"
                else np.log(value / (1 - value))
                if slot.scale == "logit"
                else value
            )
            columns.append((eta - slot.centre) / slot.sd)
    return np.stack(columns, axis=-1)
