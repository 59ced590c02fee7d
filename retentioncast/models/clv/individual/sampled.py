"""What NUTS itself drew of the customers, as the columns that are told of anybody (`given_population.py`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.special import expit

from retentioncast.models.arrays import Floats
from retentioncast.models.clv.individual.given_population import tell_effects
from retentioncast.models.clv.individual.purchase_effects import PurchaseEffects
from retentioncast.models.clv.individual.spend_effects import SpendEffects

if TYPE_CHECKING:
    from xarray import DataTree


def tell_buyers(trace: DataTree, customers: PurchaseEffects) -> pd.DataFrame:
    """Rate, dropout and P(alive) of the customers of a trace, a row each."""
    rate, dropout = _draws(trace, "purchase_rate"), _draws(trace, "dropout")
    return tell_effects({"purchase_rate": rate, "dropout": dropout}, still_there(customers, rate, dropout))


def tell_spenders(trace: DataTree, customers: SpendEffects, unit: float) -> pd.DataFrame:
    """The mean of an order, p / nu, of the customers of a trace that counts money in this unit."""
    segment = np.repeat(np.arange(len(customers.edges) - 1), np.diff(customers.edges))
    p = np.exp(_draws(trace, "theta")[:, segment, 0])
    return tell_effects({"mean_spend": unit * p / _draws(trace, "spend_rate")})


def still_there(customers: PurchaseEffects, rate: Floats, dropout: Floats) -> Floats:
    """P(alive) (d, n) at given rates and dropouts (d, n): the share of eq. 3's first term."""
    with np.errstate(divide="ignore"):
        odds = np.log(dropout) - np.log1p(-dropout) + rate * (customers.age - customers.t_x)
    return np.where(customers.x > 0, expit(-odds), 1.0)


def _draws(trace: DataTree, name: str) -> Floats:
    """All chains in one (draws, ...)."""
    values: Floats = trace["posterior"][name].to_numpy()
    return values.reshape(-1, *values.shape[2:])
