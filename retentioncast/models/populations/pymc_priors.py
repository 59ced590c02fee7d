"""The priors in PyMC's words: one distribution a parameter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from retentioncast.models.populations.distributions import Parameter
from retentioncast.models.populations.layout import prior_sd, to_eta

if TYPE_CHECKING:
    from retentioncast.models.populations.segments import Segment


def priors_of(segment: Segment, role: str) -> dict[str, Any]:
    """PyMC variables by parameter, in a model's context; given parameters are left out."""
    distribution = segment.distribution(role)
    if distribution is None:
        return {}
    return {
        parameter.name: prior_of(segment, role, parameter, value)
        for parameter, value in zip(distribution.family.parameters, distribution.values, strict=True)
        if parameter.scale != "given" and not (distribution.name == "constant" and value == 0)
    }


def prior_of(segment: Segment, role: str, parameter: Parameter, value: float) -> Any:
    """Lognormal, logit-normal or normal around the stated value."""
    import pymc

    name, sd = f"{segment.name}.{role}.{parameter.name}", prior_sd(segment, role, parameter)
    if parameter.scale == "log":
        return pymc.LogNormal(name, to_eta("log", value), sd)
    if parameter.scale == "logit":
        # PyMC leaves a logit-normal between its bounds, where NUTS would run into walls.
        unbounded = pymc.distributions.transforms.logodds
        return pymc.LogitNormal(name, to_eta("logit", value), sd, default_transform=unbounded)
    distribution = segment.distribution(role)
    if distribution is not None and distribution.name == "constant":
        return pymc.LogNormal(name, to_eta("log", value), sd)
    return pymc.Normal(name, value, sd)
