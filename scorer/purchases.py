"""Repeat buying: the chosen family or stack, and Gamma-Gamma, on purchases.

Only purchases: renewals come by contract, on the subscription's dates and until it is cancelled, and belong to the
subscription model. Free orders count as purchases; Gamma-Gamma leaves them out by itself.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, cast

import pandas as pd

from retentioncast.core.errors import FitFailed, NotEnoughData
from retentioncast.infra.settings import ScorerSettings
from retentioncast.models import BetaGeo, GammaGamma, score_repeat_buyers
from retentioncast.models.btyd.families import FAMILIES
from retentioncast.models.btyd.purchase_columns import PURCHASE_COLUMNS
from retentioncast.models.btyd.repeat_buying import RepeatBuyingModel
from retentioncast.models.btyd.time_unit import DAYS_PER_UNIT
from retentioncast.models.clv.ports import PurchaseModel
from retentioncast.models.judging.recalibration import Curve
from retentioncast.models.judging.stack import Stack
from scorer.part import Member, Part, Recalibration

SUMMARY = ["frequency", "recency", "T", "monetary_value"]
HORIZONS_DAYS = (30, 60, 90)
#: What is published where nothing could be judged.
UNJUDGED: Mapping[str, float] = {BetaGeo.family: 1.0}


def score_purchases(
    customers: pd.DataFrame,
    settings: ScorerSettings,
    weights: Mapping[str, float] = UNJUDGED,
    curve: Curve | None = None,
) -> Part:
    """Scores of everyone who ever purchased, by the families of these weights, their P(no purchase) set right by the
    curve; without money columns where spend cannot be fitted.

    Raises:
        NotEnoughData: fewer customers than the settings ask for, or too few repeat buyers.
        FitFailed: no parameters to be trusted.
    """
    summary = customers.loc[customers["frequency"].notna(), SUMMARY]
    summary.attrs["time_unit"] = "week"
    _require_customers(len(summary), settings.min_customers)
    members = [
        _fit_member(FAMILIES[family], summary, settings.seed, judged=weights is not UNJUDGED) for family in weights
    ]
    stack = Stack(cast("list[PurchaseModel]", members), list(weights.values()), curve)
    spend, reason = _fit_spend(summary, settings.seed)
    scores = score_repeat_buyers(
        stack, spend, summary, HORIZONS_DAYS, settings.value_horizon_days, settings.discount_rate,
        settings.interval, settings.draws, settings.seed,
    )  # fmt: skip
    parameters = {
        "purchase": describe_stack(members, stack.weights.tolist()),
        "spend": describe("Gamma-Gamma", spend) if spend else None,
    }
    return Part(
        scores,
        parameters,
        (f"No money columns: {reason}",) if reason else (),
        members[0].log_likelihood_ if len(members) == 1 else None,
        has_money=spend is not None,
        members=tuple(
            Member(model.family, float(weight), model.time_unit, dict(model.params_))
            for model, weight in zip(members, stack.weights, strict=True)
        ),
        recalibrations=tuple(
            Recalibration(days, curve.method, curve.parameters) for days in HORIZONS_DAYS if curve is not None
        ),
        model=stack,
        uncalibrated=_uncalibrated(stack, summary) if curve is not None else None,
    )


def _fit_member(family: type[RepeatBuyingModel], summary: pd.DataFrame, seed: int, judged: bool) -> RepeatBuyingModel:
    """The fitted family. Where its likelihood has no maximum to be trusted, a judged one is taken at the mode of its
    posterior, as in the backtest: the gate has the last word."""
    try:
        return fit_with_draws(family(time_unit="week"), summary, seed)
    except FitFailed:
        if not judged:
            raise
        return family(time_unit="week").fit(summary, method="laplace", seed=seed)


def _uncalibrated(stack: Stack, summary: pd.DataFrame) -> pd.DataFrame:
    """P(no purchase) of each horizon before recalibration, named as in the scores."""
    plain = Stack(stack.members, stack.weights.tolist())
    x, t_x, age = (summary[name] for name in PURCHASE_COLUMNS)
    unit = DAYS_PER_UNIT[stack.time_unit]
    columns = {
        f"no_purchase_{days}d": plain.probability_no_purchase(days / unit, x, t_x, age) for days in HORIZONS_DAYS
    }
    return pd.DataFrame(columns, index=summary.index)


def describe_stack(members: list[RepeatBuyingModel], weights: list[float]) -> dict[str, Any]:
    """The member of most weight, and where there are several all of them, each with its weight."""
    told = [describe(model.family, model) | {"weight": weight} for model, weight in zip(members, weights, strict=True)]
    first = max(told, key=lambda member: float(member["weight"]))
    return first if len(told) == 1 else {**first, "members": told}


def describe(name: str, model: RepeatBuyingModel | GammaGamma) -> dict[str, Any]:
    """What `scores.model_runs` keeps of a fitted model."""
    return {
        "model": name,
        "parameters": model.params_,
        "standard_errors": model.standard_errors_,
        "log_likelihood": model.log_likelihood_,
        "n_customers": model.n_customers_,
        "n_groups": model.n_groups_,
        "notes": list(model.notes_),
        **_certificate(model),
        **({"time_unit": model.time_unit} if isinstance(model, RepeatBuyingModel) else {}),
    }


def fit_with_draws[Model: (RepeatBuyingModel, GammaGamma)](model: Model, summary: pd.DataFrame, seed: int) -> Model:
    """The maximum of the likelihood, whose numbers are those that papers print, and the posterior's draws with it.

    The search does not begin where the last run ended: the same data and seed must give the same scores to the bit.
    """
    model.fit(summary)
    drawn = type(model)().fit(summary, method="laplace", seed=seed, start=model.params_)
    model.posterior_, model.notes_ = drawn.posterior_, drawn.notes_
    return model


def _certificate(model: RepeatBuyingModel | GammaGamma) -> dict[str, Any]:
    """Where the draws came from, and the Pareto k of their weights (null where none were tried)."""
    if model.posterior_ is None:
        return {}
    k = model.posterior_.pareto_k
    return {"draws_from": model.posterior_.source, "pareto_k": k if math.isfinite(k) else None}


def _fit_spend(summary: pd.DataFrame, seed: int) -> tuple[GammaGamma | None, str]:
    """The fitted spend model, or why there is none."""
    try:
        model = fit_with_draws(GammaGamma(), summary, seed)
        model.expected_spend(0, 0.0)
    except (NotEnoughData, FitFailed) as error:
        return None, str(error)
    return model, ""


def _require_customers(found: int, needed: int) -> None:
    if found < needed:
        raise NotEnoughData(
            f"{found} customers have made a purchase; {needed} are needed.",
            "Wait for more, or lower scorer.min_customers (RETENTIONCAST_SCORER__MIN_CUSTOMERS).",
        )
