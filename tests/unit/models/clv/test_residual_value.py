"""Residual value: undiscounted at rate 0, and the discount of each expected order otherwise."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from retentioncast.models import BetaGeo, GammaGamma, customer_lifetime_value
from retentioncast.models.clv.residual_value import discounted_purchases
from tests.unit.models.clv.shop import purchase_model, shop, spend_model


@pytest.fixture(scope="module")
def summary() -> pd.DataFrame:
    return shop(300, seed=2)


def test_at_rate_zero_it_is_expected_orders_times_expected_spend(summary: pd.DataFrame) -> None:
    orders = purchase_model().expected_purchases(52, summary["frequency"], summary["recency"], summary["T"])
    spend = spend_model().expected_spend(summary["frequency"], summary["monetary_value"])
    value = customer_lifetime_value(purchase_model(), spend_model(), summary, discount_rate=0)
    np.testing.assert_array_equal(value, orders * spend)
    assert value.index.equals(summary.index)


@pytest.mark.parametrize("rate", [0.1, 1.0])
def test_the_discount_is_that_of_the_orders_day_by_day(summary: pd.DataFrame, rate: float) -> None:
    columns = (summary["frequency"], summary["recency"], summary["T"])
    model, days = purchase_model(), np.arange(365)
    so_far = np.array([model.expected_purchases(day / 7, *columns) for day in days])
    by_day = (np.diff(so_far, axis=0) * (1 + rate) ** (-(days[1:, None] - 0.5) / 365.25)).sum(axis=0)
    np.testing.assert_allclose(discounted_purchases(model, *columns, 364, rate), by_day, rtol=1e-5)


def test_more_discount_is_less_value_and_a_longer_horizon_more(summary: pd.DataFrame) -> None:
    def total(horizon: float, rate: float) -> float:
        return float(customer_lifetime_value(purchase_model(), spend_model(), summary, horizon, rate).sum())

    assert total(52, 0.0) > total(52, 0.1) > total(52, 0.5)
    assert total(26, 0.1) < total(52, 0.1) < total(104, 0.1)


def test_the_unit_of_the_horizon_may_differ_from_the_models(summary: pd.DataFrame) -> None:
    weeks = customer_lifetime_value(purchase_model(), spend_model(), summary, horizon=52, unit="week")
    days = customer_lifetime_value(purchase_model(), spend_model(), summary, horizon=364, unit="day")
    np.testing.assert_allclose(weeks, days, rtol=1e-12)


def test_a_rate_that_makes_no_sense_is_refused(summary: pd.DataFrame) -> None:
    with pytest.raises(ValueError, match=r"discount_rate -1.5 must be above -1"):
        customer_lifetime_value(BetaGeo(), GammaGamma(), summary, discount_rate=-1.5)
