"""The two parts of the hierarchical value, each a likelihood a segment and the population's prior."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from retentioncast.core.errors import NotEnoughData
from retentioncast.models.arrays import Floats
from retentioncast.models.btyd.gamma_gamma import GammaGamma
from retentioncast.models.btyd.likelihood import Likelihood
from retentioncast.models.btyd.purchase_columns import PURCHASE_COLUMNS, from_frame, read_purchases, read_spend
from retentioncast.models.btyd.repeat_buying import RepeatBuyingModel
from retentioncast.models.btyd.time_unit import TimeUnit, require_unit
from retentioncast.models.clv.config import CLVConfig
from retentioncast.models.pooling.hyper import HyperPrior, make_hyper_prior
from retentioncast.models.pooling.segments import Segments, buying_likelihoods, read_segments, spend_likelihoods
from retentioncast.models.uncertainty.priors import LogNormal

MIN_CUSTOMERS = 10


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """What is pooled: a likelihood a segment and the population's prior; `log_unit` (k,) leads to the data's units."""

    likelihoods: list[Likelihood]
    prior: HyperPrior
    log_unit: Floats


@dataclass(frozen=True, slots=True, eq=False)
class CustomerRows:
    """Checked columns (n,) of a summary: frequency, recency, T and mean spend; the index, and each one's segment."""

    x: Floats
    t_x: Floats
    age: Floats
    m: Floats
    index: pd.Index
    segments: Segments


def read_rows(summary: pd.DataFrame, segment: str, time_unit: TimeUnit) -> CustomerRows:
    """Raises InvalidColumn (a ValueError) for bad values, NotEnoughData where too few bought again and paid."""
    require_unit(summary, time_unit)
    x, t_x, age = (np.atleast_1d(c) for c in read_purchases(*from_frame(summary, PURCHASE_COLUMNS)))
    m = np.atleast_1d(read_spend(*from_frame(summary, ("frequency", "monetary_value")))[1])
    require_enough(x, m)
    return CustomerRows(x, t_x, age, m, summary.index, read_segments(from_frame(summary, (segment,))[0]))


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
