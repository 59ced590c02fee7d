"""The columns that pass between Postgres and the scorer, in order, with their kinds."""

from __future__ import annotations

from collections.abc import Mapping

from scorer.binary_copy import Kind

DAYS_PER_WEEK = 7.0

#: What `snapshot.customers` gives.
CUSTOMERS: Mapping[str, Kind] = {
    "customer_id": "bigint",
    "frequency": "double",
    "recency_days": "double",
    "age_days": "double",
    "monetary_value": "double",
    "first_order": "bigint",
    "latest_order": "bigint",
}

#: What `snapshot.subscriptions` gives.
SUBSCRIPTIONS = ["customer_id", "plan", "billing_period", "channel", "price", "duration_days", "event"]

#: What `judging.purchase_days` gives.
PURCHASE_DAYS: Mapping[str, Kind] = {"customer_id": "bigint", "day": "bigint", "amount": "double"}

#: What `judging.matured` gives.
MATURED = ["family", "as_of", "customer_id", "uncalibrated", "happened"]

_WITH_INTERVAL = ("probability_alive", "no_purchase_30d", "no_purchase_60d", "no_purchase_90d", "residual_value")


def _scores() -> dict[str, Kind]:
    kinds: dict[str, Kind] = {"customer_id": "bigint"}
    for name in _WITH_INTERVAL:
        kinds |= {name: "double", f"{name}_low": "double", f"{name}_high": "double"}
    kinds |= {"expected_orders_90d": "double", "expected_spend_90d": "double"}
    for days in (30, 60, 90):
        kinds |= {f"inactive_{days}d": "boolean", f"subscription_survival_{days}d": "double"}
    return kinds | {"as_of": "timestamptz", "run_id": "bigint"}


#: What `scores.purchase_models` and `scores.recalibrations` hold: the run and `scorer.part`'s Member, a Curve.
PURCHASE_MODELS: Mapping[str, str] = {
    "run_id": "bigint",
    "member": "integer",
    "family": "text",
    "weight": "double precision",
    "time_unit": "text",
    "parameters": "jsonb",
}
RECALIBRATIONS: Mapping[str, str] = {
    "run_id": "bigint",
    "method": "text",
    "parameters": "jsonb",
}

#: What `scores.customer_scores` holds.
SCORES: Mapping[str, Kind] = _scores()
