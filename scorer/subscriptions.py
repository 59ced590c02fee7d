"""Subscriptions: how likely a customer's lasts on, by Cox where there are enough cancellations, else Kaplan-Meier."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from retentioncast.infra.settings import ScorerSettings
from retentioncast.models import SubscriptionSurvival
from scorer.part import Part
from scorer.snapshot import StoredModels

HORIZONS_DAYS = (30, 60, 90)
_NONE_STORED = StoredModels()


def score_subscriptions(
    subscriptions: pd.DataFrame, settings: ScorerSettings, stored: StoredModels = _NONE_STORED
) -> Part:
    """Survival over 30, 60 and 90 days of each customer with an active subscription.

    With several active subscriptions it is the probability that at least one of them is still active, 1 - prod(1 - s):
    given plan, price and age they are taken as independent.

    Raises:
        NotEnoughData: fewer than 10 subscriptions, or none of them was ever cancelled.
        FitFailed: no model to be trusted.
    """
    pinned = stored.pinned_text("subscription")
    model = SubscriptionSurvival.from_json(pinned) if pinned else SubscriptionSurvival().fit(subscriptions)
    active = subscriptions[subscriptions["event"] == 0]
    survival = model.conditional_survival(active, HORIZONS_DAYS, settings.interval)
    columns = [f"survival_{days}d" for days in HORIZONS_DAYS]
    scores = at_least_one(survival[columns], active["customer_id"]).add_prefix("subscription_")
    notes = (f"Subscriptions: {'; '.join(model.notes_)}.",) if model.notes_ else ()
    return Part(scores, {"subscription": describe(model)}, notes, models={"subscription": model})


def at_least_one(survival: pd.DataFrame, customer_id: pd.Series) -> pd.DataFrame:
    """Per customer, the probability that at least one of the customer's subscriptions survives."""
    with np.errstate(divide="ignore"):
        log_lost = np.log1p(-survival.to_numpy())
    log_none = pd.DataFrame(log_lost, columns=survival.columns).groupby(customer_id.to_numpy()).sum()
    return pd.DataFrame(-np.expm1(log_none.to_numpy()), index=log_none.index, columns=log_none.columns)


def describe(model: SubscriptionSurvival) -> dict[str, Any]:
    """What `scores.model_runs` keeps of a fitted model."""
    is_cox = model.kind_ == "cox"
    errors = np.sqrt(np.diag(model.covariance_)).tolist()
    return {
        "model": "Cox" if is_cox else "Kaplan-Meier",
        "parameters": model.coefficients_,
        "standard_errors": dict(zip(model.coefficients_, errors, strict=True)),
        "log_likelihood": model.log_likelihood_ if math.isfinite(model.log_likelihood_) else None,
        "n_subscriptions": model.n_subscriptions_,
        "n_cancelled": model.n_events_,
        "notes": list(model.notes_),
    }
