"""Bad data, for every family: a ValueError naming column, row and value, a refusal that says what to do, or a fit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from retentioncast.core.errors import FitFailed, NotEnoughData
from retentioncast.models import BetaGeometricBetaBinomial, GammaGamma
from retentioncast.models.arrays import Floats
from retentioncast.models.btyd.repeat_buying import RepeatBuyingModel
from tests.unit.models.test_laws import CASES, discovered_models, truth_of

FAMILIES = [model for model in discovered_models() if issubclass(model, RepeatBuyingModel)]
family = pytest.mark.parametrize("family", FAMILIES, ids=lambda model: model.__name__)


def _shop(family: type[Any], n: int = 400) -> pd.DataFrame:
    frame: pd.DataFrame = truth_of(family).sample(n, 20.0, seed=3)[["frequency", "recency", "T"]]
    return frame.astype(np.float64).set_index(pd.Index([f"c{i}" for i in range(n)]))


@family
@pytest.mark.parametrize("n", [0, 1])
def test_no_and_one_customer_are_not_fitted(family: type[Any], n: int) -> None:
    with pytest.raises(NotEnoughData, match=f"there are {n} and {n}"):
        family().fit([2] * n, [4.0] * n, [9.0] * n)


@family
def test_one_customer_with_priors_is_the_priors_and_says_so(family: type[Any]) -> None:
    model = family().fit([2], [4.0], [9.0], method="map")
    assert model.prior_only_ and "priors alone" in model.notes_[0]
    assert 0 <= float(model.probability_no_purchase(4.0, 2, 4.0, 9.0)) <= 1


@family
def test_a_shop_of_one_time_buyers_is_not_fitted(family: type[Any]) -> None:
    with pytest.raises(NotEnoughData, match="there are 1000 and 0"):
        family().fit([0] * 1000, [0.0] * 1000, [9.0] * 1000)


@family
@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("frequency", -1.0, "'frequency', row 'c7': -1.0 is negative"),
        ("frequency", np.inf, "'frequency', row 'c7': inf is not a finite number"),
        ("recency", -2.0, "'recency', row 'c7': -2.0 is negative"),
        ("recency", np.nan, "'recency', row 'c7': nan is not a finite number"),
        ("T", np.nan, "'T', row 'c7': nan is not a finite number"),
        ("T", -np.inf, "'T', row 'c7': -inf is not a finite number"),
        ("T", 3.0, "'T', row 'c7': 3.0 is before the latest purchase (recency)"),
        ("recency", 0.0, "'recency', row 'c7': 0.0 is 0 although there are repeat purchases"),
        ("frequency", 0.0, "'recency', row 'c7': 5.0 is above 0 although there is no repeat purchase"),
    ],
)
def test_a_bad_value_is_named_by_column_row_and_value(
    family: type[Any], column: str, value: float, message: str
) -> None:
    frame = _shop(family, 20)
    frame.loc["c7"] = [2.0, 5.0, 20.0]
    frame.loc["c7", column] = value
    with pytest.raises(ValueError) as caught:
        family().fit(frame)
    assert message in str(caught.value)


@family
@pytest.mark.parametrize("row", [[1e12, 19.0, 20.0], [4.0, 19.0, 1e12]], ids=["orders", "age"])
def test_an_outlier_of_1e12_is_named(family: type[Any], row: list[float]) -> None:
    frame = _shop(family)
    frame.loc["c7"] = row
    with pytest.raises(ValueError, match=r"'(frequency|T)', row 'c7': 1000000000000.0 is more "):
        family().fit(frame, method="map")


def test_a_million_opportunities_are_a_fit_like_any_other() -> None:
    frame = _shop(BetaGeometricBetaBinomial)
    frame.loc["c7"] = [4.0, 19.0, 1e6]
    assert BetaGeometricBetaBinomial().fit(frame).params_["alpha"] == pytest.approx(0.9, rel=0.5)


@family
def test_one_enormous_cohort_of_one_time_buyers_drowns_the_rest_and_is_refused(family: type[Any]) -> None:
    frame = _shop(family).assign(weights=1.0)
    frame.iloc[0] = [0.0, 0.0, 20.0, 1e8]
    with pytest.raises(FitFailed, match="do not determine"):
        family().fit(frame["frequency"], frame["recency"], frame["T"], frame["weights"])


def test_constant_and_bad_spend_are_refused() -> None:
    with pytest.raises(NotEnoughData, match="all repeat buyers spend the same"):
        GammaGamma().fit([2] * 50, [10.0] * 50)
    with pytest.raises(ValueError, match=r"'monetary_value', row 1: -3.0 is negative"):
        GammaGamma().fit([2, 2], [1.0, -3.0])
    with pytest.raises(ValueError, match=r"'monetary_value', row 1: inf is not a finite number"):
        GammaGamma().fit([2, 2], [1.0, np.inf])


every_model = pytest.mark.parametrize("model", discovered_models(), ids=lambda model: model.__name__)


def _columns(model: type[Any], n: int) -> list[Floats]:
    """The customers of the model's case with the most repeat purchases (or renewals) first."""
    columns = CASES[model.__name__].sample(truth_of(model), 11)
    order = np.argsort(-columns[0], kind="stable")[:n]
    return [column[order] for column in columns]


@every_model
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, -1.0, 1e12, "x"])
def test_a_bad_value_in_any_column_of_any_model_is_named(model: type[Any], bad: object) -> None:
    columns = _columns(model, 20)
    for place in range(len(columns)):
        broken: list[Any] = [list(column) for column in columns]
        broken[place][7] = bad
        with pytest.raises(ValueError, match=r"column '\w+', row 7: \S+ (is|was) .* Correct or leave out this row"):
            model().fit(*broken, method="map")


@every_model
def test_no_customer_is_the_priors_or_an_error(model: type[Any]) -> None:
    nobody = _columns(model, 0)
    with pytest.raises(NotEnoughData, match="there are 0"):
        model().fit(*nobody)
    told = model().fit(*nobody, method="laplace")
    assert told.prior_only_ and told.posterior_.source == "prior" and "priors alone" in told.notes_[0]


@every_model
def test_customers_who_are_all_alike_are_refused_or_held_by_the_priors(model: type[Any]) -> None:
    alike = [np.repeat(column[:1], 20) for column in _columns(model, 1)]
    with pytest.raises((FitFailed, NotEnoughData), match=r"do not determine|needs|no spread|all customers"):
        model().fit(*alike)
    if model is GammaGamma:  # without a spread there is no scale either
        return
    fitted = model().fit(*alike, method="map")
    assert not fitted.prior_only_ and all(0 < value < 1e6 for value in fitted.params_.values())


@every_model
def test_customers_of_no_weight_count_for_nothing(model: type[Any]) -> None:
    columns = _columns(model, 600)
    weights = np.repeat([1.0, 0.0], 300)
    fitted = model().fit(*columns, weights=weights, method="map")
    first = model().fit(*(column[:300] for column in columns), method="map")
    assert fitted.params_ == pytest.approx(first.params_, rel=1e-6)
    with pytest.raises(ValueError, match=r"'weights', row 7: -1.0 is negative"):
        model().fit(*columns, weights=np.where(np.arange(600) == 7, -1.0, 1.0))
