"""The same posterior as a PyMC model: priors in PyMC's words, the customers' likelihood as one operation."""

from __future__ import annotations

import math

import pymc as pm

from retentioncast.models.pooling.hyper import SCATTER_SPREAD
from retentioncast.models.pooling.joint import JointDensity
from retentioncast.models.uncertainty.pymc_model import log_likelihood_of


def make_pymc_model(density: JointDensity) -> pm.Model:
    """Variables mu, tau, own (z, or theta itself where centred) and theta (segments, k), the logs of parameters."""
    segments, k = density.shape
    prior = density.prior
    with pm.Model(coords={"parameter": list(prior.names), "segment": list(range(segments))}) as model:
        mu = pm.Normal("mu", prior.centre, prior.spread, dims="parameter")
        tau = pm.LogNormal("tau", math.log(prior.scatter), SCATTER_SPREAD, shape=k)
        if density.centred:
            own = pm.Normal("own", mu, tau, shape=(segments, k))
            theta = pm.Deterministic("theta", own, dims=("segment", "parameter"))
        else:
            own = pm.Normal("own", 0.0, 1.0, shape=(segments, k))
            theta = pm.Deterministic("theta", mu + tau * own, dims=("segment", "parameter"))
        pm.Potential("customers", log_likelihood_of(density.likelihood.likelihoods, theta))
    return model
