"""Subscriptions as events: sampled from segments, or read from a frame; cut off at the date of observation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from retentioncast.models.arrays import Integers
from retentioncast.models.btyd.time_unit import DAYS_PER_UNIT, TimeUnit
from retentioncast.models.populations.segments import ATTRIBUTES, Segment, Spells

#: Why a subscription ended, in the event's `reason`.
WISHED, NATURAL_END = "cancel", "natural_end"
_MICROSECONDS_A_DAY = 86_400_000_000


@dataclass(frozen=True, slots=True)
class Calendar:
    """When customers arrive (evenly over `arrivals`) and when they are looked at. A month is 30.4375 days."""

    origin: datetime = datetime(2025, 1, 1, tzinfo=UTC)
    arrivals: float = 12.0
    #: From the origin to the date of observation.
    observed: float = 24.0
    time_unit: TimeUnit = "month"

    @property
    def unit_days(self) -> float:
        return DAYS_PER_UNIT[self.time_unit]

    @property
    def observed_at(self) -> datetime:
        return self.origin + timedelta(days=self.observed * self.unit_days)


class SubscriptionEvent(NamedTuple):
    """One event. `reason` is why it ended, in the model's words; `detail` in the shop's."""

    customer_id: int
    event: str
    at: datetime
    reason: str | None = None
    plan: str | None = None
    billing_period: str | None = None
    channel: str | None = None
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class Events:
    """`frame` has the columns of SubscriptionEvent, first all that begin, then all that end, each by customer.

    `truth` (a row a customer: customer_id, segment) is there where the events were sampled.
    """

    frame: pd.DataFrame
    observed_at: datetime
    time_unit: TimeUnit = "month"
    truth: pd.DataFrame | None = None

    def to_list(self) -> list[SubscriptionEvent]:
        """The events in the order of time."""
        frame = self.frame.sort_values(["at", "customer_id"], kind="stable").astype({"at": object})
        columns = [frame[name].astype(object).where(frame[name].notna(), None) for name in SubscriptionEvent._fields]
        return [SubscriptionEvent(*row) for row in zip(*columns, strict=True)]


def events_of(
    segments: Sequence[Segment],
    chosen: Integers,
    spells: Sequence[Spells],
    calendar: Calendar,
    rng: np.random.Generator,
) -> Events:
    """Events of customers 1, 2, ...: `chosen` (n,) is each one's segment, `spells` hold each segment's, in order."""
    n, unit = chosen.size, calendar.unit_days * _MICROSECONDS_A_DAY
    origin, until = (_micros(each) for each in (calendar.origin, calendar.observed_at))
    begun = origin + (rng.random(n) * (calendar.arrivals * unit)).astype(np.int64)
    duration, natural = np.empty(n), np.empty(n, dtype=np.bool_)
    for index, each in enumerate(spells):
        here = chosen == index
        duration[here], natural[here] = each.duration, each.natural
    ended = begun + np.minimum(np.rint(duration * unit), 2.0**61).astype(np.int64)
    there, over = begun <= until, ended <= until
    attributes = {name: _attribute(segments, chosen, spells, name) for name in ATTRIBUTES}
    frame = _frame(begun, ended, natural, attributes, np.flatnonzero(there), np.flatnonzero(there & over))
    names = categorical(chosen, [segment.name for segment in segments])
    truth = pd.DataFrame({"customer_id": np.arange(1, n + 1), "segment": names})[there]
    return Events(frame, calendar.observed_at, calendar.time_unit, truth.reset_index(drop=True))


def _frame(
    begun: Integers,
    ended: Integers,
    natural: np.ndarray[tuple[int], np.dtype[np.bool_]],
    attributes: Mapping[str, pd.Categorical[str]],
    starts: Integers,
    ends: Integers,
) -> pd.DataFrame:
    rows = np.concatenate([starts, ends])
    is_end = np.repeat([False, True], [starts.size, ends.size])
    reasons = np.where(is_end, natural[rows].astype(np.int8), -1)
    columns = {
        "customer_id": rows + 1,
        "event": categorical(is_end.astype(np.int8), ["subscribe", "cancel"]),
        "at": pd.to_datetime(np.where(is_end, ended[rows], begun[rows]), unit="us", utc=True),
        "reason": categorical(reasons, [WISHED, NATURAL_END]),
    }
    columns |= {name: attributes[name].take(rows) for name in ("plan", "billing_period", "channel")}
    wished = np.where(reasons == 0, attributes["detail"].codes[rows], -1)
    columns["detail"] = categorical(wished, attributes["detail"].categories)
    return pd.DataFrame(columns)


def _attribute(
    segments: Sequence[Segment], chosen: Integers, spells: Sequence[Spells], name: str
) -> pd.Categorical[str]:
    """Each customer's value, over the names that any segment knows."""
    names = list(dict.fromkeys(value for segment in segments for value in segment.shares(name)))
    place = {value: code for code, value in enumerate(names)}
    codes = np.empty(chosen.size, dtype=np.int16)
    for index, (segment, each) in enumerate(zip(segments, spells, strict=True)):
        known = np.array([place[value] for value in segment.shares(name)], dtype=np.int16)
        codes[chosen == index] = known[each.codes[name]]
    return categorical(codes, names)


def categorical(codes: Any, names: Iterable[str]) -> pd.Categorical[str]:
    """Text by number; -1 is none."""
    made: pd.Categorical[str] = pd.Categorical.from_codes(codes, pd.Index(list(names)))
    return made


def _micros(at: datetime) -> int:
    return (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
