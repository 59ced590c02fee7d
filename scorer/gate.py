"""The last check before scores are published: numbers that make no sense never reach a reader."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from scorer.part import Refused

_PROBABILITIES = ("probability_alive", "no_purchase_", "subscription_survival_", "inactive_")
_MONEY = ("expected_spend_", "residual_value")


def require_sense(scores: pd.DataFrame, parameters: dict[str, Any]) -> None:
    """Raise Refused unless there are customers, probabilities lie in [0, 1], amounts are finite and not negative, and
    every parameter is a finite number. NaN means nothing to say: of all that one model says of a customer, or none."""
    problem = next(_problems(scores, parameters), "")
    if problem:
        raise Refused(problem, "The last scores stay in force; look for extreme values in the data.")


def _problems(scores: pd.DataFrame, parameters: dict[str, Any]) -> Iterator[str]:
    if scores.empty:
        yield "There is no customer to score."
    for column in scores.columns:
        yield from _column_problems(column, scores[column])
    yield from _half_scored(scores)
    for model, told in parameters.items():
        yield from _parameter_problems(model, told)


def _column_problems(name: str, column: pd.Series) -> Iterator[str]:
    values = column.to_numpy(dtype=np.float64)
    highest = 1.0 if name.startswith(_PROBABILITIES) else np.finfo(np.float64).max
    bad = ~np.isnan(values) & ~((values >= 0) & (values <= highest))
    if bad.any():
        first = int(np.argmax(bad))
        allowed = "a probability" if highest == 1.0 else "a finite number of at least 0"
        yield f"{name} of customer {column.index[first]} is {values[first]}, not {allowed} ({bad.sum()} such)."


def _half_scored(scores: pd.DataFrame) -> Iterator[str]:
    """Customers of whom one column of a model is missing while another is there."""
    groups: dict[str, list[str]] = {}
    for name in scores.columns:
        groups.setdefault(_model_of(name), []).append(name)
    for names in groups.values():
        missing = scores[names].isna().to_numpy()
        bad = missing.any(axis=1) & ~missing.all(axis=1)
        if bad.any():
            first = int(np.argmax(bad))
            absent = ", ".join(name for name, gone in zip(names, missing[first], strict=True) if gone)
            yield f"Of customer {scores.index[first]} these are missing or not a number: {absent}."


def _model_of(name: str) -> str:
    if name.startswith(_MONEY):
        return "spend"
    return name.split("_")[0] if name.startswith(("subscription_", "inactive_")) else "purchase"


def _parameter_problems(model: str, told: object) -> Iterator[str]:
    if not isinstance(told, dict):
        return
    for part in ("parameters", "standard_errors"):
        for name, value in told.get(part, {}).items():
            if not math.isfinite(value):
                yield f"The {model} model's {name} ({part}) is {value}."
