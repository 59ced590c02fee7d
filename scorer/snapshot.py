"""What one run sees: every customer and subscription at one moment of the stream."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import pandas as pd


@dataclass(frozen=True, slots=True)
class InForce:
    """The scores that readers see now: their run, and which parts they hold."""

    run_id: int
    has_purchases: bool
    has_money: bool


@dataclass(frozen=True, slots=True)
class StoredModels:
    """Models in force in the model store, as JSON by name (`purchase`, `spend`, `subscription`): pinned, they score as
    they are. None there: no version, nothing pinned."""

    version: str = ""
    pinned: bool = False
    texts: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def pinned_text(self, name: str) -> str:
        """The model of this name if it is to be used as it is; else empty."""
        return self.texts.get(name, "") if self.pinned else ""


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """All that was known at `as_of`.

    `customers`, indexed by customer_id, one row a customer with an order: frequency, recency, T (weeks),
    monetary_value (NaN where there is no purchase, only renewals), days_since_order (of any kind).
    `subscriptions`, one row each: customer_id, plan, billing_period, channel, price, duration_days, event.
    `standing`: the months' subscribers, see `retention.STANDING`.
    """

    as_of: datetime
    customers: pd.DataFrame
    subscriptions: pd.DataFrame
    data_from: datetime | None
    data_to: datetime | None
    in_force: InForce | None
    standing: pd.DataFrame = field(default_factory=pd.DataFrame)
    stored: StoredModels = field(default_factory=StoredModels)
