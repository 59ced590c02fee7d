"""Repeat buying: BG/NBD and Gamma-Gamma on purchases.

Only purchases: renewals come by contract, on the subscription's dates and until it is cancelled, and belong to the
subscription model. Free orders count as purchases; Gamma-Gamma leaves them out by itself.
"""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from retentioncast.core.errors import FitFailed, NotEnoughData
from retentioncast.infra.settings import ScorerSettings
from retentioncast.models import BetaGeo, GammaGamma, score_repeat_buyers
from scorer.part import Member, Part, Storable
from scorer.snapshot import StoredModels

SUMMARY = ["frequency", "recency", "T", "monetary_value"]
HORIZONS_DAYS = (30, 60, 90)
_NONE_STORED = StoredModels()


def score_purchases(customers: pd.DataFrame, settings: ScorerSettings, stored: StoredModels = _NONE_STORED) -> Part:
    """Scores of everyone who ever purchased; without money columns where spend cannot be fitted. Pinned models of the
    store are used as they are, others fitted.

    Raises:
        NotEnoughData: fewer customers than the settings ask for, or too few repeat buyers.
        FitFailed: no parameters to be trusted.
    """
    summary = customers.loc[customers["frequency"].notna(), SUMMARY]
    summary.attrs["time_unit"] = "week"
    _require_customers(len(summary), settings.min_customers)
    pinned = stored.pinned_text("purchase")
    model = BetaGeo.from_json(pinned) if pinned else fit_with_draws(BetaGeo(), summary, settings.seed)
    spend, reason = _fit_spend(summary, settings.seed, stored)
    scores = score_repeat_buyers(
        model, spend, summary, HORIZONS_DAYS, settings.value_horizon_days, settings.discount_rate,
        settings.interval, settings.draws, settings.seed,
    )  # fmt: skip
    parameters = {"purchase": describe(model.family, model), "spend": describe("Gamma-Gamma", spend) if spend else None}
    notes = (f"No money columns: {reason}",) if reason else ()
    members = (Member(model.family, 1.0, model.time_unit, dict(model.params_)),)
    models: dict[str, Storable] = {"purchase": model} | ({"spend": spend} if spend else {})
    # That of a pinned model is the likelihood of other data.
    likelihood = None if pinned else model.log_likelihood_
    return Part(scores, parameters, notes, likelihood, spend is not None, members, models=models)


def describe(name: str, model: BetaGeo | GammaGamma) -> dict[str, Any]:
    """What `scores.model_runs` keeps of a fitted model."""
    return {
        "model": name,
        "parameters": model.params_,
        "standard_errors": model.standard_errors_,
        "log_likelihood": model.log_likelihood_,
        "n_customers": model.n_customers_,
        "n_groups": model.n_groups_,
        "notes": list(model.notes_),
    } | _certificate(model) | ({"time_unit": model.time_unit} if isinstance(model, BetaGeo) else {})  # fmt: skip


def fit_with_draws[Model: (BetaGeo, GammaGamma)](model: Model, summary: pd.DataFrame, seed: int) -> Model:
    """The maximum of the likelihood, whose numbers are those that papers print, and the posterior's draws with it.

    The search does not begin where the last run ended: the same data and seed must give the same scores to the bit.
    """
    model.fit(summary)
    drawn = type(model)().fit(summary, method="laplace", seed=seed, start=model.params_)
    model.posterior_, model.notes_ = drawn.posterior_, drawn.notes_
    return model


def _certificate(model: BetaGeo | GammaGamma) -> dict[str, Any]:
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
