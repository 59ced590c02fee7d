"""What the online learner is told: the three things of a customer's life that it learns from."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class OrderPlaced:
    """A purchase or renewal that counts as an order; `at` in epoch seconds, `amount` in the shop's money."""

    customer_id: int
    at: float
    amount: float | None


@dataclass(frozen=True, slots=True)
class SessionStarted:
    """A visit to the shop; `at` in epoch seconds."""

    customer_id: int
    at: float
    pages: int | None


@dataclass(frozen=True, slots=True)
class SubscriptionChanged:
    """The customer's subscription as it is from `at` (epoch seconds) on; no plan is `None`."""

    customer_id: int
    at: float
    plan: str | None
    active: bool


Event = OrderPlaced | SessionStarted | SubscriptionChanged
