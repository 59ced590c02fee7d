"""Reads the mirror's subscriptions as events, as the models of populations take them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from psycopg.rows import dict_row

from retentioncast.core.errors import NotEnoughData
from retentioncast.infra.postgres import connect
from retentioncast.infra.settings import Settings
from retentioncast.infra.sql import sql

if TYPE_CHECKING:
    import pandas as pd

#: Reasons that mean: it ended by itself. All others are a wish to cancel.
NATURAL_ENDS = ("no_longer_needed",)


@dataclass(frozen=True, slots=True)
class SubscriptionEvents:
    """subscribe and cancel events with customer_id, subscription_id, at, reason, plan, billing_period, channel, detail
    and price (a month's), and the time from which they are seen: what `Mixture.observe` takes.
    """

    frame: pd.DataFrame
    observed_at: datetime


def read_subscription_events(
    settings: Settings, as_of: datetime | None = None, natural_ends: Collection[str] = NATURAL_ENDS
) -> SubscriptionEvents:
    """Events up to `as_of`, or up to the stream's time. NotEnoughData when nothing has come through or begun."""
    import numpy as np
    import pandas as pd

    with connect(settings, "reader") as connection, connection.cursor(row_factory=dict_row) as cursor:
        if as_of is None:
            row = cursor.execute(sql("subscription_events.as_of")).fetchone()
            as_of = row["stream_time"] if row else None
        if as_of is None:
            raise NotEnoughData("Nothing has come through the stream yet.", "See `retentioncast status`.")
        rows = cursor.execute(sql("subscription_events.subscriptions"), {"as_of": as_of}).fetchall()
    if not rows:
        raise NotEnoughData(f"No subscription had begun by {as_of}.", "Wait for the first subscriptions.")
    subscriptions = pd.DataFrame(rows)
    begun = subscriptions.drop(columns=["started_at", "cancelled_at", "cancel_reason"])
    starts = begun.assign(event="subscribe", at=_times(subscriptions["started_at"]))
    over = subscriptions["cancelled_at"].notna()
    why = subscriptions.loc[over, "cancel_reason"]
    ends = begun[over].assign(
        event="cancel",
        at=_times(subscriptions.loc[over, "cancelled_at"]),
        reason=pd.Series(np.where(why.isin(list(natural_ends)), "natural_end", "cancel"), why.index).where(why.notna()),
        detail=why,
    )
    return SubscriptionEvents(pd.concat([starts, ends], ignore_index=True), as_of)


def _times(column: pd.Series) -> pd.Series:
    import pandas as pd

    times: pd.Series = pd.to_datetime(column, utc=True)
    return times
