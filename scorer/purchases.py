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
from scorer.leaving import curves_of
from scorer.models import read_stored, storable
from scorer.part import Member, Part, Storable
from scorer.snapshot import StoredModels

SUMMARY = ["frequency", "recency", "T", "monetary_value"]
HORIZONS_DAYS = (30, 60, 90)
#: What is published where nothing could be judged.
UNJUDGED: Mapping[str, float] = {BetaGeo.family: 1.0}
_NONE_STORED = StoredModels()


def score_purchases(
    customers: pd.DataFrame,
    settings: ScorerSettings,
    weights: Mapping[str, float] = UNJUDGED,
    curve: Curve | None = None,
    stored: StoredModels = _NONE_STORED,
) -> Part:
    """Scores of everyone who ever purchased, by the families of these weights, their P(no purchase) set right by the
    curve; without money columns where spend cannot be fitted. Pinned models of the store are used as they are, with
    their own weights and curve; others are fitted.

    Raises:
        NotEnoughData: fewer customers than the settings ask for, or too few repeat buyers.
        FitFailed: no parameters to be trusted.
    """
    summary = customers.loc[customers["frequency"].notna(), SUMMARY]
    summary.attrs["time_unit"] = "week"
    _require_customers(len(summary), settings.min_customers)
    pinned = stored.pinned_text("purchase")
    stack = read_stored(pinned, FAMILIES) if pinned else _fit_stack(summary, settings.seed, weights, curve)
    spend, reason = _fit_spend(summary, settings.seed, stored)
    scores = score_repeat_buyers(
        stack, spend, summary, HORIZONS_DAYS, settings.value_horizon_days, settings.discount_rate,
        settings.interval, settings.draws, settings.seed,
    )  # fmt: skip
    members = cast("list[RepeatBuyingModel]", list(stack.members))
    models: dict[str, Storable] = {"purchase": storable(stack)} | ({"spend": spend} if spend else {})
    return Part(
        scores,
        {
            "purchase": describe_stack(members, stack.weights.tolist())
            | {"n_purchase_days": int(summary["frequency"].sum()) + len(summary)},
            "spend": describe("Gamma-Gamma", spend) if spend else None,
        },
        (f"No money columns: {reason}",) if reason else (),
        # That of a pinned model is the likelihood of other data, and a stack has none.
        members[0].log_likelihood_ if len(members) == 1 and not pinned else None,
        has_money=spend is not None,
        members=tuple(
            Member(model.family, float(weight), model.time_unit, dict(model.params_))
            for model, weight in zip(members, stack.weights, strict=True)
        ),
        recalibration=stack.recalibrate,
        leaving=curves_of(members, summary["frequency"].to_numpy(), summary["T"].to_numpy()),
        models=models,
        model=stack,
        uncalibrated=_uncalibrated(stack, summary) if stack.recalibrate is not None else None,
    )


def _fit_stack(summary: pd.DataFrame, seed: int, weights: Mapping[str, float], curve: Curve | None) -> Stack:
    """The families of these weights, each fitted."""
    judged = weights is not UNJUDGED
    members = [_fit_member(FAMILIES[family], summary, seed, judged) for family in weights]
    return Stack(cast("list[PurchaseModel]", members), list(weights.values()), curve)


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


def _fit_spend(summary: pd.DataFrame, seed: int, stored: StoredModels) -> tuple[GammaGamma | None, str]:
    """The fitted or pinned spend model, or why there is none."""
    try:
        pinned = stored.pinned_text("spend")
        model = GammaGamma.from_json(pinned) if pinned else fit_with_draws(GammaGamma(), summary, seed)
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
