"""What the scorer publishes of repeat buyers: its columns, its order, its limits."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from retentioncast.models import BetaGeo, GammaGamma, score_repeat_buyers
from tests.unit.models.clv.shop import shop

Models = tuple[BetaGeo, GammaGamma]


@pytest.fixture(scope="module")
def summary() -> pd.DataFrame:
    return shop(1500, seed=4)


@pytest.fixture(scope="module")
def fitted(summary: pd.DataFrame) -> Models:
    return BetaGeo().fit(summary), GammaGamma().fit(summary)


@pytest.fixture(scope="module")
def scores(summary: pd.DataFrame, fitted: Models) -> pd.DataFrame:
    return score_repeat_buyers(*fitted, summary, draws=200, seed=1)


def test_every_score_stands_beside_its_interval_on_the_customers_index(
    scores: pd.DataFrame, summary: pd.DataFrame
) -> None:
    with_interval = ["probability_alive", "no_purchase_30d", "no_purchase_60d", "no_purchase_90d", "residual_value"]
    expected = {f"{name}{end}" for name in with_interval for end in ("", "_low", "_high")}
    assert set(scores.columns) == expected | {"expected_orders_90d", "expected_spend_90d"}
    assert scores.index.equals(summary.index) and bool(np.isfinite(scores).all(axis=None))
    for name in with_interval:
        assert (scores[f"{name}_low"] <= scores[f"{name}_high"]).all()
    for name in with_interval[:4]:
        three = scores[[name, f"{name}_low", f"{name}_high"]].to_numpy()
        assert three.min() >= 0 and three.max() <= 1


def test_scores_are_the_models_own_predictions(scores: pd.DataFrame, summary: pd.DataFrame, fitted: Models) -> None:
    columns = (summary["frequency"], summary["recency"], summary["T"])
    np.testing.assert_allclose(scores["probability_alive"], fitted[0].probability_alive(*columns))
    np.testing.assert_allclose(scores["no_purchase_60d"], fitted[0].probability_no_purchase(60 / 7, *columns))
    np.testing.assert_allclose(scores["expected_orders_90d"], fitted[0].expected_purchases(90 / 7, *columns))
    spend = fitted[1].expected_spend(summary["frequency"], summary["monetary_value"])
    np.testing.assert_allclose(scores["expected_spend_90d"], scores["expected_orders_90d"] * spend)


def test_the_interval_of_a_probability_mostly_holds_the_point(scores: pd.DataFrame) -> None:
    inside = scores["no_purchase_90d"].between(scores["no_purchase_90d_low"], scores["no_purchase_90d_high"])
    assert inside.mean() > 0.95


def test_the_order_of_customers_does_not_matter(scores: pd.DataFrame, summary: pd.DataFrame, fitted: Models) -> None:
    shuffled = summary.sample(frac=1, random_state=3)
    again = score_repeat_buyers(*fitted, shuffled, draws=200, seed=1)
    pd.testing.assert_frame_equal(again.loc[scores.index], scores)


def test_without_a_spend_model_money_is_unknown_and_the_rest_is_there(summary: pd.DataFrame, fitted: Models) -> None:
    scores = score_repeat_buyers(fitted[0], None, summary.head(20), draws=20)
    assert scores.filter(regex="value|spend").isna().all(axis=None)
    assert scores["no_purchase_30d"].notna().all()


def test_no_customers_make_no_scores(summary: pd.DataFrame, fitted: Models) -> None:
    assert len(score_repeat_buyers(*fitted, summary.head(0), draws=20)) == 0


def test_a_customer_that_makes_no_sense_is_named(summary: pd.DataFrame, fitted: Models) -> None:
    broken = summary.head(5).assign(T=[9.0, 60.0, -1.0, 60.0, 60.0], recency=0.0, frequency=0)
    with pytest.raises(ValueError, match=r"column 'T', row 'c2': -1.0 is negative"):
        score_repeat_buyers(*fitted, broken)
