"""What a change event looks like, typed: only the fields that are needed, each with the values it may have."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from retentioncast.core import shop

Id = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
PageCount = Annotated[int, Meta(ge=-(2**31), le=2**31 - 1)]
#: Debezium sends `numeric` as text; decode.py checks it (a pattern here would cost half of the decoding).
Money = str
Text = str


class Customer(msgspec.Struct, gc=False):
    """A row of `customers`."""

    customer_id: Id
    name: Text | None
    email: Text | None
    country: Text | None
    channel: Text | None
    created_at: str


class Subscription(msgspec.Struct, gc=False):
    """A row of `subscriptions`; price in `currency` per billing period."""

    subscription_id: Id
    customer_id: Id
    plan: Text | None
    billing_period: Text | None
    price: Money
    currency: Text | None
    started_at: str
    cancelled_at: str | None
    cancel_reason: Text | None


class Transaction(msgspec.Struct, gc=False):
    """A row of `transactions`; a refund's `refers_to` is the transaction that it takes back."""

    transaction_id: Id
    customer_id: Id
    subscription_id: Id | None
    kind: Literal["purchase", "renewal", "refund"]
    amount: Money
    currency: Text | None
    occurred_at: str
    refers_to: Id | None
    promotion: Text | None


class Session(msgspec.Struct, gc=False):
    """A row of `sessions`."""

    session_id: Id
    customer_id: Id
    started_at: str
    pages: PageCount
    channel: Text | None


type Row = Customer | Subscription | Transaction | Session

ROW_TYPES: dict[str, type[Row]] = {
    shop.CUSTOMERS: Customer,
    shop.SUBSCRIPTIONS: Subscription,
    shop.TRANSACTIONS: Transaction,
    shop.SESSIONS: Session,
}
#: The field that says when it happened, by role.
EVENT_TIME = {
    shop.CUSTOMERS: "created_at",
    shop.SUBSCRIPTIONS: "started_at",
    shop.TRANSACTIONS: "occurred_at",
    shop.SESSIONS: "started_at",
}
#: The amount of money, by role: never negative.
MONEY = {shop.SUBSCRIPTIONS: "price", shop.TRANSACTIONS: "amount"}
#: Other timestamps, checked but not the row's own time.
OTHER_TIMES = {shop.SUBSCRIPTIONS: ("cancelled_at",)}
