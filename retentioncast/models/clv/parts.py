"""The two parts of the hierarchical value, each a likelihood a segment and the population's prior."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from retentioncast.core.errors import NotEnoughData
from retentioncast.models.arrays import Floats
from retentioncast.models.btyd.gamma_gamma import GammaGamma
from retentioncast.models.btyd.likelihood import Likelihood
from retentioncast.models.btyd.repeat_buying import RepeatBuyingModel
from retentioncast.models.clv.config import CLVConfig
from retentioncast.models.pooling.hyper import HyperPrior, make_hyper_prior
from retentioncast.models.pooling.segments import Segments, buying_likelihoods, spend_likelihoods
from retentioncast.models.uncertainty.priors import LogNormal

MIN_CUSTOMERS = 10


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """What is pooled: a likelihood a segment and the population's prior; `log_unit` (k,) leads to the data's units."""

    likelihoods: list[Likelihood]
    prior: HyperPrior
    log_unit: Floats


def buying_part(
    family: RepeatBuyingModel,
    columns: tuple[Floats, Floats, Floats],
    segments: Segments,
    priors: Mapping[str, LogNormal],
    config: CLVConfig,
) -> Part:
    """Purchases: frequency, recency and T (n,) under the family's parameters."""
    chosen = {name: prior for name, prior in priors.items() if name in family.parameter_names}
    prior = make_hyper_prior(family.priors(chosen), family.days_per_unit())
    likelihoods = buying_likelihoods(family, columns, segments)
    return Part(likelihoods, replace(prior, scatter=config.spread_between), np.zeros(len(prior.names)))


def spend_part(x: Floats, m: Floats, segments: Segments, priors: Mapping[str, LogNormal], config: CLVConfig) -> Part:
    """Spend. Money divided by the factor, and the prior of v with it: the same posterior, whatever the factor."""
    factor = config.rescale_factor
    chosen = {name: prior for name, prior in priors.items() if name in GammaGamma.parameter_names}
    scaled = GammaGamma().priors(chosen)
    scaled["v"] = replace(scaled["v"], median=scaled["v"].median / factor)
    prior = replace(make_hyper_prior(scaled), scatter=config.spread_between)
    return Part(spend_likelihoods(x, m / factor, segments), prior, np.array([0.0, 0.0, math.log(factor)]))


def require_enough(x: Floats, m: Floats) -> None:
    """Raises NotEnoughData below so many customers, or so many who bought again (x) and paid (m)."""
    paying = int(((x > 0) & (m > 0)).sum())
    if x.size < MIN_CUSTOMERS or paying < MIN_CUSTOMERS:
        raise NotEnoughData(
            f"hierarchical value needs {MIN_CUSTOMERS} customers, and {MIN_CUSTOMERS} who bought again and paid; "
            f"there are {x.size} and {paying}.",
            "Wait for more purchases.",
        )
