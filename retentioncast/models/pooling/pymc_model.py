"""The same posterior as a PyMC model: priors in PyMC's words, the customers' likelihood as one operation."""

from __future__ import annotations

from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from pytensor.graph.basic import Apply
from pytensor.graph.op import Op

from retentioncast.models.pooling.joint import JointDensity, SegmentsLikelihood


class _Gradient(Op):  # type: ignore[misc]
    itypes = (pt.dmatrix,)
    otypes = (pt.dmatrix,)
    __props__ = ()

    def __init__(self, likelihood: SegmentsLikelihood) -> None:
        self.likelihood = likelihood

    def perform(self, node: Apply, inputs: list[Any], outputs: list[Any]) -> None:
        outputs[0][0] = self.likelihood(np.asarray(inputs[0]))[1]


class LikelihoodOp(Op):  # type: ignore[misc]
    """Log likelihood of theta (segments, k), with its gradient."""

    itypes = (pt.dmatrix,)
    otypes = (pt.dscalar,)
    __props__ = ()

    def __init__(self, likelihood: SegmentsLikelihood) -> None:
        self.likelihood = likelihood
        self.gradient = _Gradient(likelihood)

    def perform(self, node: Apply, inputs: list[Any], outputs: list[Any]) -> None:
        outputs[0][0] = np.asarray(self.likelihood(np.asarray(inputs[0]))[0], dtype=np.float64)

    def pullback(self, inputs: list[Any], outputs: list[Any], cotangents: list[Any]) -> list[Any]:
        return [cotangents[0] * self.gradient(inputs[0])]


def make_pymc_model(density: JointDensity) -> pm.Model:
    """Variables mu, tau, own (z, or theta itself where centred) and theta."""
    segments, k = density.shape
    prior = density.prior
    coords = {"parameter": list(prior.names), "segment": list(range(segments))}
    with pm.Model(coords=coords) as model:
        mu = pm.Normal("mu", prior.centre, prior.spread, dims="parameter")
        tau = pm.HalfNormal("tau", prior.scatter, dims="parameter")
        if density.centred:
            own = pm.Normal("own", mu, tau, shape=(segments, k))
            theta = pm.Deterministic("theta", own, dims=("segment", "parameter"))
        else:
            own = pm.Normal("own", 0.0, 1.0, shape=(segments, k))
            theta = pm.Deterministic("theta", mu + tau * own, dims=("segment", "parameter"))
        pm.Potential("customers", LikelihoodOp(density.likelihood)(theta))
    return model
