"""Residual value: what a customer will still bring within a horizon, discounted, in expectation."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from retentioncast.models.arrays import Column, Floats
from retentioncast.models.btyd.time_unit import DAYS_PER_UNIT, TimeUnit
from retentioncast.models.clv.ports import PurchaseModel, SpendModel

DAYS_PER_YEAR = 365.25
#: Expected purchases are smooth in time: 8 Gauss-Legendre nodes leave an error below 1e-6 of the value.
_NODES, _NODE_WEIGHTS = np.polynomial.legendre.leggauss(8)


def discount_per_day(annual_rate: float) -> float:
    """Continuous rate a day of an annual discount rate: e^(-rate days) is 1 / (1 + annual_rate) after a year."""
    if annual_rate <= -1:
        raise ValueError(f"discount_rate {annual_rate} must be above -1; 0.10 is ten percent a year")
    return math.log1p(annual_rate) / DAYS_PER_YEAR


def discounted_purchases(
    model: PurchaseModel, frequency: Column, recency: Column, T: Column, horizon_days: float, discount_rate: float
) -> Floats:
    """Expected purchases in the next `horizon_days`, each discounted to now: (m,).

    Integration by parts, so that no derivative is needed and rate 0 gives the undiscounted number exactly:
    integral of e^(-d s) dE(s) over [0, h] = e^(-d h) E(h) + d integral of e^(-d s) E(s) ds.
    """
    unit = DAYS_PER_UNIT[model.time_unit]
    rate = discount_per_day(discount_rate)
    total = model.expected_purchases(horizon_days / unit, frequency, recency, T)
    if rate == 0:
        return total
    value = math.exp(-rate * horizon_days) * total
    for node, weight in zip(_NODES, _NODE_WEIGHTS, strict=True):
        days = horizon_days * (1 + node) / 2
        so_far = model.expected_purchases(days / unit, frequency, recency, T)
        value = value + rate * math.exp(-rate * days) * weight * horizon_days / 2 * so_far
    return value


def customer_lifetime_value(
    purchase_model: PurchaseModel,
    spend_model: SpendModel,
    summary: pd.DataFrame,
    horizon: float = 52,
    discount_rate: float = 0.10,
    unit: TimeUnit = "week",
) -> pd.Series:
    """Residual value of each customer of a summary in lifetimes' shape: discounted purchases times spend an order.

    `horizon` counts in `unit`; `discount_rate` is annual. At rate 0 it is expected purchases times expected spend.
    """
    x, t_x, age = summary["frequency"], summary["recency"], summary["T"]
    purchases = discounted_purchases(purchase_model, x, t_x, age, horizon * DAYS_PER_UNIT[unit], discount_rate)
    spend = spend_model.expected_spend(x, summary["monetary_value"])
    return pd.Series(purchases * spend, index=summary.index, name="residual_value")
