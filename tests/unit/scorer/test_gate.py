from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from scorer.gate import require_sense
from scorer.part import Refused

FINE = {"no_purchase_30d": [0.0, 1.0], "residual_value": [0.0, 1e6], "subscription_survival_30d": [np.nan, 0.5]}


def frame(**changes: list[float]) -> pd.DataFrame:
    return pd.DataFrame({**FINE, **changes}, index=pd.Index([11, 12], name="customer_id"))


def test_sensible_scores_pass() -> None:
    require_sense(frame(), {"purchase": {"parameters": {"r": 0.2}, "standard_errors": {"r": 0.1}}, "spend": None})


@pytest.mark.parametrize(
    ("column", "values", "told"),
    [
        ("no_purchase_30d", [0.5, 1.01], "no_purchase_30d of customer 12 is 1.01, not a probability"),
        ("no_purchase_30d", [-1e-9, 0.5], "no_purchase_30d of customer 11"),
        ("subscription_survival_30d", [np.inf, 0.5], "subscription_survival_30d of customer 11 is inf"),
        ("residual_value", [1.0, np.inf], "residual_value of customer 12 is inf, not a finite number"),
        ("residual_value", [1.0, -0.01], "residual_value of customer 12 is -0.01"),
    ],
)
def test_a_number_that_makes_no_sense_is_named(column: str, values: list[float], told: str) -> None:
    with pytest.raises(Refused, match=told):
        require_sense(frame(**{column: values}), {})


def test_no_customer_at_all_is_refused() -> None:
    with pytest.raises(Refused, match="no customer"):
        require_sense(frame().iloc[:0], {})


def test_a_parameter_that_is_not_finite_is_refused() -> None:
    told = {"spend": {"parameters": {"p": 6.0}, "standard_errors": {"p": np.nan}}}
    with pytest.raises(Refused, match=r"spend model's p \(standard_errors\) is nan"):
        require_sense(frame(), told)


def test_a_half_scored_customer_is_refused() -> None:
    scores = frame(no_purchase_30d=[0.5, np.nan], probability_alive=[0.5, 0.5])
    with pytest.raises(Refused, match=r"customer 12 .* no_purchase_30d"):
        require_sense(scores, {})
