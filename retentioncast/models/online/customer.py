"""What is remembered of one customer: counters of constant size and the examples waiting for a label."""

from __future__ import annotations

import math
from operator import attrgetter
from typing import Any, NamedTuple

from retentioncast.models.online.config import DAY_S
from retentioncast.models.online.state import SCHEMA_VERSION, Json, refuse_unless

_DECAY_7 = 1.0 / (7.0 * DAY_S)
_DECAY_30 = 1.0 / (30.0 * DAY_S)
#: Absurd values are bounded at the door, so that no feature needs to be: e**12 = 160,000 in the shop's money.
_MOST_LOG = 12.0
_MOST_PAGES = 1_000


class Pending(NamedTuple):
    """An example that waits for its label: features and prediction as they were when it was opened."""

    opened: float
    #: Stream time after which it matures with label 1.
    expires: float
    probability: float
    #: Opened by an order, not by a session.
    by_order: bool
    plan_bucket: int
    features: tuple[float, ...]


class Customer:
    """Counters of one customer, all times in epoch seconds; the order of `_COUNTERS` is the saved format."""

    _COUNTERS = (
        "first_order", "latest_order", "previous_gap", "orders", "log_spend", "amounts",
        "latest_session", "sessions_7", "sessions_30", "log_pages", "session_day",
        "plan_bucket", "active", "plan_at", "probability", "as_of",
    )  # fmt: skip
    __slots__ = (*_COUNTERS, "pending")

    def __init__(self) -> None:
        self.first_order: float | None = None
        self.latest_order: float | None = None
        self.previous_gap = 0.0
        self.orders = 0
        self.log_spend = 0.0
        self.amounts = 0
        self.latest_session: float | None = None
        self.sessions_7 = 0.0
        self.sessions_30 = 0.0
        self.log_pages = 0.0
        self.session_day: int | None = None
        self.plan_bucket = -1
        self.active = False
        self.plan_at: float | None = None
        self.probability: float | None = None
        self.as_of: float | None = None
        self.pending: list[Pending] = []

    def place_order(self, at: float, amount: float | None) -> None:
        """Count an order later than all before; an amount that is no finite number is no spend."""
        if self.first_order is None or self.latest_order is None:
            self.first_order = at
        else:
            self.previous_gap = at - self.latest_order
        self.latest_order = at
        self.orders += 1
        if amount is not None and math.isfinite(amount):
            self.log_spend += min(math.log1p(max(amount, 0.0)), _MOST_LOG)
            self.amounts += 1

    def start_session(self, at: float, pages: int | None) -> None:
        """Count a session later than all before in two counters that decay with 7 and 30 days."""
        elapsed = at - self.latest_session if self.latest_session is not None else 0.0
        self.sessions_7 = self.sessions_7 * math.exp(-elapsed * _DECAY_7) + 1.0
        self.sessions_30 = self.sessions_30 * math.exp(-elapsed * _DECAY_30) + 1.0
        self.log_pages = math.log1p(min(pages, _MOST_PAGES)) if pages and pages > 0 else 0.0
        self.latest_session = at

    def to_json(self) -> Json:
        """Lists, not objects: short, since it is written for each customer of each batch."""
        counters = list(_counters(self))
        waiting = [[*p[:-1], *p.features] for p in self.pending]
        return {"v": SCHEMA_VERSION, "c": counters, "p": waiting}

    @classmethod
    def from_json(cls, state: Json) -> Customer:
        """The customer that `to_json` saved.

        Raises:
            OnlineStateUnusable: the state was saved by another version.
        """
        version = state.get("v")
        refuse_unless(version == SCHEMA_VERSION, "a customer of schema version", version, SCHEMA_VERSION)
        customer = cls()
        for name, value in zip(cls._COUNTERS, state["c"], strict=True):
            setattr(customer, name, value)
        customer.pending = [_pending_from(saved) for saved in state["p"]]
        return customer


_counters = attrgetter(*Customer._COUNTERS)


def _pending_from(saved: list[Any]) -> Pending:
    opened, expires, probability, by_order, plan_bucket, *features = saved
    return Pending(opened, expires, probability, by_order, plan_bucket, tuple(features))
