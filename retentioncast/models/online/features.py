"""From counters to features: fixed bounded transforms, so there is no scaler whose state could go astray."""

from __future__ import annotations

from math import exp, log1p
from zlib import crc32

from retentioncast.models.online.config import DAY_S
from retentioncast.models.online.customer import Customer

NAMES = (
    "no_order", "one_order", "frequency", "age", "recency", "mean_gap", "previous_gap", "gap_ratio",
    "spend", "no_session", "session_gap", "sessions_7", "sessions_30", "pages", "active",
)  # fmt: skip

_YEAR = 1.0 / log1p(365.0)
_DAY = 1.0 / DAY_S
_MOST_LATE = 2.0
_NO_ORDERS = (1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)


def extract(customer: Customer, now: float) -> tuple[float, ...]:
    """The features in the order of `NAMES` as known at `now`, not before the customer's latest event.

    Times enter as `log(1 + days) / log(366)`: 0 for nothing, 1 for a year. Values lie in [0, 1] or a little
    above, since the counters are bounded at the door (`Customer`, `OnlineChurn.observe`).
    """
    return _orders(customer, now) + _sessions(customer, now)


def _orders(customer: Customer, now: float) -> tuple[float, ...]:
    first, latest, orders = customer.first_order, customer.latest_order, customer.orders
    if first is None or latest is None:
        return _NO_ORDERS
    recency = (now - latest) * _DAY
    mean_gap = (latest - first) * _DAY / (orders - 1) if orders > 1 else 0.0
    return (
        0.0,
        1.0 if orders == 1 else 0.0,
        log1p(orders) / 4.0,
        log1p((now - first) * _DAY) * _YEAR,
        log1p(recency) * _YEAR,
        log1p(mean_gap) * _YEAR,
        log1p(customer.previous_gap * _DAY) * _YEAR,
        min(log1p(recency / mean_gap), _MOST_LATE) if mean_gap > 0.0 else 0.0,
        customer.log_spend / customer.amounts / 6.0 if customer.amounts else 0.0,
    )


def _sessions(customer: Customer, now: float) -> tuple[float, ...]:
    active = 1.0 if customer.active else 0.0
    if customer.latest_session is None:
        return (1.0, 0.0, 0.0, 0.0, 0.0, active)
    days = (now - customer.latest_session) * _DAY
    return (
        0.0,
        log1p(days) * _YEAR,
        log1p(customer.sessions_7 * exp(-days / 7.0)) / 2.0,
        log1p(customer.sessions_30 * exp(-days / 30.0)) / 3.0,
        customer.log_pages / 4.0,
        active,
    )


def plan_bucket(plan: str | None, buckets: int) -> int:
    """The one-hot place of a plan, -1 for none; CRC-32, since Python's own hash changes with each process."""
    return -1 if plan is None else crc32(plan.encode("utf-8", "replace")) % buckets
