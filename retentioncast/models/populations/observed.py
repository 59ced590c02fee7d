"""Events become what the likelihood needs: how long each subscription lasted, how it ended, what is known of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pandas as pd

from retentioncast.core.errors import InvalidInput, NotEnoughData
from retentioncast.models.arrays import Floats, Integers
from retentioncast.models.btyd.time_unit import DAYS_PER_UNIT, TimeUnit
from retentioncast.models.populations.events import NATURAL_END, WISHED, Events, SubscriptionEvent
from retentioncast.models.populations.segments import ATTRIBUTES

#: How a subscription stands at the date of observation.
RUNNING, CANCELLED, ENDED, OVER = 0, 1, 2, 3


class InvalidEvents(InvalidInput, ValueError):
    """Subscription events contradict each other. Correct the named customer's; nothing was fitted."""


@dataclass(frozen=True, slots=True)
class Subscriptions:
    """n subscriptions in the order of their keys. OVER: ended, and nobody knows why."""

    customer_id: Integers
    key: Integers
    duration: Floats
    outcome: Integers
    #: Columns of each attribute that was seen at all, as text or None.
    attributes: dict[str, pd.Series]
    price: Floats | None = None


def read_events(
    events: Events | pd.DataFrame | Iterable[SubscriptionEvent], observed_at: datetime | None, time_unit: TimeUnit
) -> Subscriptions:
    """Subscriptions as of `observed_at`; what happens later has not happened yet.

    A frame needs customer_id, event and at; reason, plan, billing_period, channel, detail and price are used where
    they are there, subscription_id where a customer may have several. Raises InvalidEvents, NotEnoughData.
    """
    frame, until = _frame(events, observed_at)
    key = "subscription_id" if "subscription_id" in frame.columns else "customer_id"
    frame = frame[frame["at"] <= until]
    starts = frame[frame["event"] == "subscribe"].sort_values(key, kind="stable").reset_index(drop=True)
    ends = frame[frame["event"] == "cancel"]
    _refuse_others(frame)
    _refuse_twice(starts, ends, key)
    if starts.empty:
        raise NotEnoughData("no subscription had begun at the date of observation.", "Wait, or look at a later date.")
    ends = ends.set_index(key).reindex(starts[key])
    return _subscriptions(starts, ends, key, until, DAYS_PER_UNIT[time_unit])


def _subscriptions(
    starts: pd.DataFrame, ends: pd.DataFrame, key: str, until: pd.Timestamp, unit_days: float
) -> Subscriptions:
    over = ends["at"].notna().to_numpy()
    last = ends["at"].fillna(until).reset_index(drop=True)
    seconds = (last - starts["at"]).dt.total_seconds().to_numpy(dtype=np.float64)
    duration: Floats = np.asarray(seconds / (86_400 * unit_days), dtype=np.float64)
    if (duration < 0).any():
        who = starts["customer_id"][int(np.argmax(duration < 0))]
        raise InvalidEvents(f"customer {who} cancelled before subscribing.", "Correct the events.")
    attributes = {name: starts[name] for name in ATTRIBUTES[:3] if name in starts and starts[name].notna().any()}
    if "detail" in ends and ends["detail"].notna().any():
        attributes["detail"] = ends["detail"].reset_index(drop=True)
    price = starts["price"].to_numpy(dtype=np.float64) if "price" in starts else None
    outcome = _outcomes(over, ends.get("reason"))
    ids = starts["customer_id"].to_numpy(dtype=np.int64)
    return Subscriptions(ids, starts[key].to_numpy(dtype=np.int64), duration, outcome, attributes, price)


def _outcomes(over: np.ndarray[tuple[int], np.dtype[np.bool_]], reason: pd.Series | None) -> Integers:
    outcome = np.where(over, OVER, RUNNING).astype(np.int64)
    if reason is not None:
        words = reason.astype(object).to_numpy()
        outcome[over & (words == WISHED)] = CANCELLED
        outcome[over & (words == NATURAL_END)] = ENDED
    return outcome


def _frame(
    events: Events | pd.DataFrame | Iterable[SubscriptionEvent], observed_at: datetime | None
) -> tuple[pd.DataFrame, pd.Timestamp]:
    if isinstance(events, Events):
        frame, observed_at = events.frame, observed_at or events.observed_at
    elif isinstance(events, pd.DataFrame):
        frame = events
    else:
        frame = pd.DataFrame(list(events), columns=list(SubscriptionEvent._fields))
    if frame.empty:
        raise NotEnoughData("there are no subscription events.", "Wait for the first subscriptions.")
    if missing := {"customer_id", "event", "at"} - set(frame.columns):
        raise InvalidEvents(f"the events have no column {', '.join(sorted(missing))}.", "Give all three.")
    if observed_at is None or observed_at.tzinfo is None:
        raise InvalidEvents("the date of observation is missing or has no zone.", "Give observed_at, with its zone.")
    frame = frame.assign(at=pd.to_datetime(frame["at"], utc=True))
    return frame, pd.Timestamp(observed_at)


def _refuse_others(frame: pd.DataFrame) -> None:
    odd = frame.loc[~frame["event"].isin(["subscribe", "cancel"]), "event"]
    if len(odd):
        raise InvalidEvents(f"{odd.iloc[0]!r} is no subscription event.", "Give subscribe and cancel events only.")


def _refuse_twice(starts: pd.DataFrame, ends: pd.DataFrame, key: str) -> None:
    for events, what in ((starts, "subscribed"), (ends, "cancelled")):
        twice = events[events[key].duplicated()]
        if len(twice):
            raise InvalidEvents(
                f"{key} {twice[key].iloc[0]} {what} twice.", "Give each subscription its own subscription_id."
            )
    strangers = ends.loc[~ends[key].isin(starts[key]), key]
    if len(strangers):
        raise InvalidEvents(f"{key} {strangers.iloc[0]} cancelled and never subscribed.", "Correct the events.")
