"""What one run sees: every customer and subscription at one moment of the stream."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import pandas as pd

from retentioncast.models.judging.recalibration import Curve
from scorer.part import Member


@dataclass(frozen=True, slots=True)
class InForce:
    """The scores that readers see now: their run, which parts they hold, and the models they were made with."""

    run_id: int
    has_purchases: bool
    has_money: bool
    members: tuple[Member, ...] = ()
    recalibration: Curve | None = None


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
    `purchase_days`, one row a customer and day (since 1970) with a purchase: customer_id, day, amount, of all customers
    or a sample of them; None: this run is not judged. `matured`, one row a prediction whose horizon has passed:
    family, as_of (day), customer_id, uncalibrated, happened.
    """

    as_of: datetime
    customers: pd.DataFrame
    subscriptions: pd.DataFrame
    data_from: datetime | None
    data_to: datetime | None
    in_force: InForce | None
    standing: pd.DataFrame = field(default_factory=pd.DataFrame)
    stored: StoredModels = field(default_factory=StoredModels)
    purchase_days: pd.DataFrame | None = None
    matured: pd.DataFrame = field(default_factory=pd.DataFrame)
