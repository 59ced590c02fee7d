"""Bad data, for every family: a ValueError naming column, row and value, a refusal that says what to do, or a fit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from retentioncast.core.errors import FitFailed, NotEnoughData
from retentioncast.models import GammaGamma
from retentioncast.models.btyd.repeat_buying import RepeatBuyingModel
from tests.unit.models.test_laws import discovered_models, truth_of

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
def test_an_outlier_of_1e12_says_what_ran_off(family: type[Any], row: list[float]) -> None:
    frame = _shop(family)
    frame.loc["c7"] = row
    if family.__name__ == "BetaGeometricBetaBinomial":  # a million opportunities are a fit like any other
        frame.loc["c7", "T"] = min(row[2], 1e6)
    if family.__name__ == "BetaGeometricBetaBinomial" and row[2] > 20:
        assert family().fit(frame).params_["alpha"] == pytest.approx(0.9, rel=0.5)
        return
    with pytest.raises((FitFailed, ValueError), match=r"alpha runs off to zero|1000000000000.0 is more purchases"):
        family().fit(frame)


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
