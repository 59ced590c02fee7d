"""Simulated shops for the tests of the online learner: a mixed population in event time, from a seed."""

from __future__ import annotations

import random
from collections.abc import Iterator

from retentioncast.models.online import Event, OrderPlaced, SessionStarted, SubscriptionChanged
from retentioncast.models.online.config import DAY_S

START = 1_600_000_000.0
#: Mean days between orders, and between sessions while the customer lives, by kind of customer.
KINDS = ((6.0, 3.0, "gold"), (20.0, 8.0, "basic"), (70.0, 25.0, None))
_DROPOUT = 0.08


def shop(seed: int, customers: int, days: float, *, start: float = START, slowdown: float = 1.0) -> list[Event]:
    """All events of a shop in the order of their times; `slowdown` stretches the gaps between orders."""
    rng = random.Random(seed)
    events = [event for i in range(customers) for event in _life(rng, i + 1, start, days, slowdown)]
    return sorted(events, key=lambda event: (event.at, event.customer_id, type(event).__name__))


def _life(rng: random.Random, customer_id: int, start: float, days: float, slowdown: float) -> Iterator[Event]:
    order_gap, session_gap, plan = rng.choice(KINDS)
    at = joined = start + rng.uniform(0.0, days * 0.7) * DAY_S
    end = start + days * DAY_S
    if plan is not None:
        yield SubscriptionChanged(customer_id, joined, plan, True)
    while at < end:
        yield OrderPlaced(customer_id, at, rng.lognormvariate(3.0, 0.5))
        if rng.random() < _DROPOUT:
            break
        at += rng.expovariate(1.0 / (order_gap * slowdown)) * DAY_S
    yield from _sessions(rng, customer_id, joined, min(at, end), session_gap)


def _sessions(rng: random.Random, customer_id: int, joined: float, gone: float, gap: float) -> Iterator[SessionStarted]:
    at = joined + rng.expovariate(1.0 / gap) * DAY_S
    while at < gone:
        yield SessionStarted(customer_id, at, rng.randrange(1, 12))
        at += rng.expovariate(1.0 / gap) * DAY_S
