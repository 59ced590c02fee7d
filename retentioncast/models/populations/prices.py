"""What a running subscription pays a month: as observed, else by its plan, else as its segment's usually do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from retentioncast.models.arrays import Floats
from retentioncast.models.populations.segments import Segment
from retentioncast.models.populations.specification import Shop

if TYPE_CHECKING:
    from retentioncast.models.populations.mixture import Observed
    from retentioncast.models.populations.specification import Specification


def row_prices(observed: Observed, specification: Specification) -> Floats:
    """Mean monthly price of each row's customers under each segment (m, K)."""
    rows, subscriptions = observed.posterior.rows, observed.subscriptions
    segments = observed.posterior.layout.segments
    usual = np.array([segment_price(segment, specification.shop) for segment in segments])
    known = subscriptions.price
    if known is None and "plan" in subscriptions.attributes:
        known = _by_plan(subscriptions.attributes, specification.shop)
    if known is None:
        return np.broadcast_to(usual, rows.attributes.shape)
    seen = np.isfinite(known)
    counts = np.bincount(rows.row_of, seen, rows.weights.size)
    total = np.bincount(rows.row_of, np.where(seen, known, 0.0), rows.weights.size)
    mean = np.divide(total, counts, out=np.full(counts.size, np.nan), where=counts > 0)
    return np.where(np.isfinite(mean)[:, None], mean[:, None], usual)


def segment_price(segment: Segment, shop: Shop) -> float:
    """Mean monthly price over the segment's plans and billing periods."""
    periods = segment.shares("billing_period")
    return sum(
        part * share * monthly_price(shop, plan, period, segment)
        for plan, part in segment.shares("plan").items()
        for period, share in periods.items()
    )


def monthly_price(shop: Shop, plan: str, period: str, segment: Segment | None = None) -> float:
    """A plan's price a month; 0 for a plan that nobody gave a price."""
    if segment is not None and plan in segment.prices and period == "monthly":
        return segment.prices[plan]
    price = shop.prices.get(plan, {}).get(period, 0.0)
    return price / 12 if period == "yearly" else price


def _by_plan(attributes: dict[str, pd.Series], shop: Shop) -> Floats:
    plans = attributes["plan"].astype(object)
    periods = attributes.get("billing_period", pd.Series(["monthly"] * len(plans))).astype(object)
    table = {(p, q): monthly_price(shop, p, q) for p in shop.prices for q in ("monthly", "yearly")}
    return np.array([table.get(pair, np.nan) for pair in zip(plans, periods, strict=True)], dtype=np.float64)
