"""The individual form in PyMC's words, in the coordinates of `coordinates.py`: any sampler of PyMC's can take it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt

from retentioncast.models.arrays import Floats
from retentioncast.models.clv.individual.density import IndividualDensity
from retentioncast.models.clv.individual.purchase_effects import PurchaseEffects
from retentioncast.models.clv.individual.spend_effects import SpendEffects
from retentioncast.models.pooling.hyper import SCATTER_SPREAD

if TYPE_CHECKING:
    from pytensor.tensor import TensorVariable


def make_pymc_model(density: IndividualDensity) -> pm.Model:
    """Variables mu, tau, own (z, or theta itself where centred), theta, and of each customer the effects
    (purchase_rate and dropout, or spend_rate) with their coordinates, NAME_effect."""
    (segments, k), prior, of = density.shape, density.prior, density.customers
    coords = {"parameter": list(prior.names), "segment": range(segments), "customer": range(density.of_effects[1])}
    with pm.Model(coords=coords) as model:
        mu = pm.Normal("mu", prior.centre, prior.spread, dims="parameter")
        tau = pm.LogNormal("tau", math.log(prior.scatter), SCATTER_SPREAD, shape=k)
        around = (mu, tau) if density.centred else (0.0, 1.0)
        own = pm.Normal("own", *around, shape=(segments, k))
        theta = pm.Deterministic("theta", own if density.centred else mu + tau * own, dims=("segment", "parameter"))
        segment = np.repeat(np.arange(segments), np.diff(of.edges))
        parameters = [pt.exp(theta[segment, j]) for j in range(k)]
        if isinstance(of, PurchaseEffects):
            _add_purchases(of, *parameters)
        elif isinstance(of, SpendEffects):
            _add_spend(of, *parameters)
    return model


def variables_of(density: IndividualDensity, point: Floats) -> dict[str, Any]:
    """The model's variables at a point (size,)."""
    k, head = density.shape[1], density.sizes[0]
    effects = density.split(point)[3]
    found: dict[str, Any] = {"mu": point[:k], "tau": np.exp(point[k : 2 * k])}
    found["own"] = point[2 * k : head].reshape(density.shape)
    return found | {f"{name}_effect": effects[i] for i, name in enumerate(density.customers.names)}


def _add_purchases(
    of: PurchaseEffects, r: TensorVariable, alpha: TensorVariable, a: TensorVariable, b: TensorVariable
) -> None:
    half = np.where(of.x > 0, 0.5, 0.0)
    left, stayed = a + half, b + of.x - half
    log_rate = _effect(
        "purchase_rate", _centre(r + of.x) - pt.log(alpha + of.age - half * (of.age - of.t_x)), _variance(r + of.x)
    )
    logit = _effect("dropout", _centre(left) - _centre(stayed), _variance(left) + _variance(stayed))
    rate = pm.Deterministic("purchase_rate", pt.exp(log_rate), dims="customer")
    pm.Deterministic("dropout", pt.sigmoid(logit), dims="customer")
    log_p, log_stay = -pt.softplus(-logit), -pt.softplus(logit)
    pm.Potential("rates", pm.logp(pm.Gamma.dist(r, alpha), rate) + log_rate)
    # The Beta written out: pm.logp takes the logarithm of 1 - p, and p may be 1 to the last bit.
    pm.Potential("dropouts", a * log_p + b * log_stay + pt.gammaln(a + b) - pt.gammaln(a) - pt.gammaln(b))
    there = of.x * log_stay - rate * of.age
    gone = log_p + (of.x - 1) * log_stay - rate * of.t_x
    pm.Potential("purchases", of.x * log_rate + pt.switch(of.x > 0, pt.logaddexp(there, gone), there))


def _add_spend(of: SpendEffects, p: TensorVariable, q: TensorVariable, v: TensorVariable) -> None:
    k = q + p * of.x
    log_nu = _effect("spend_rate", _centre(k) - pt.log(v + of.x * of.m), _variance(k))
    nu = pm.Deterministic("spend_rate", pt.exp(log_nu), dims="customer")
    pm.Potential("rates", pm.logp(pm.Gamma.dist(q, v), nu) + log_nu)
    pm.Gamma("spend", p * of.x, nu * of.x, observed=of.m, dims="customer")


def _effect(name: str, centre: TensorVariable, variance: TensorVariable) -> TensorVariable:
    """A customer's effect at its coordinate, with the coordinates' volume."""
    effect, spread = pm.Flat(f"{name}_effect", dims="customer"), pt.sqrt(variance)
    pm.Potential(f"{name}_volume", pt.log(spread))
    return centre + spread * effect


def _centre(k: TensorVariable) -> TensorVariable:
    return pt.log(k + 0.5) - 1 / k


def _variance(k: TensorVariable) -> TensorVariable:
    return 1 / k**2 + 1 / (k + 0.5)
