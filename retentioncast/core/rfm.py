"""What counts, written down once: which transactions are orders, and what follows from them for a customer.

A purchase or renewal is an order, unless refunds that refer to it reach its amount. A free order (amount 0) stays
one. The value is everything bought less everything refunded, whether or not a refund says to which order it
belongs. The consumer's SQL and `retentioncast verify` hold to these few lines; tests compare all three.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from retentioncast.core.shop import KINDS, ORDER_KINDS

_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Transaction:
    """One row of the shop's transactions, as far as it counts. ValueError names the field that is impossible."""

    transaction_id: int
    customer_id: int
    kind: str
    amount: Decimal
    occurred_at: datetime
    refers_to: int | None = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"kind {self.kind!r} is none of {', '.join(KINDS)}")
        if not self.amount.is_finite() or self.amount < 0:
            raise ValueError(f"amount {self.amount} is not a finite number of at least 0")
        if self.occurred_at.utcoffset() is None:
            raise ValueError(f"occurred_at {self.occurred_at} has no time zone")


@dataclass(frozen=True, slots=True)
class CustomerRfm:
    """The six columns of the original system; `recency` is the customer's age at the latest purchase."""

    first_purchase: datetime
    latest_purchase: datetime
    recency: timedelta
    frequency: int
    order_count: int
    order_value: Decimal


def is_order(transaction: Transaction, refunded: Decimal = _ZERO) -> bool:
    """Whether this is an order when refunds of `refunded` in all refer to it."""
    if transaction.kind not in ORDER_KINDS:
        return False
    return transaction.amount == 0 or refunded < transaction.amount


def refunded_amounts(transactions: Iterable[Transaction]) -> dict[int, Decimal]:
    """What refunds give back, by the transaction that they refer to, whoever's refunds they are."""
    amounts: dict[int, Decimal] = defaultdict(Decimal)
    for transaction in transactions:
        if transaction.kind == "refund" and transaction.refers_to is not None:
            amounts[transaction.refers_to] += transaction.amount
    return dict(amounts)


def rfm(transactions: Iterable[Transaction], refunded: Mapping[int, Decimal] | None = None) -> CustomerRfm | None:
    """The row of one customer from all of the customer's transactions; None without an order.

    `refunded` is what refunds give back by transaction, where others than the customer hold some of them (a
    customer who is being merged); by default what the customer's own refunds say.
    """
    own = list(transactions)
    back = refunded_amounts(own) if refunded is None else refunded
    times = [each.occurred_at for each in own if is_order(each, back.get(each.transaction_id, _ZERO))]
    if not times:
        return None
    first, latest = min(times), max(times)
    value = sum((-each.amount if each.kind == "refund" else each.amount for each in own), _ZERO)
    return CustomerRfm(first, latest, latest - first, len(times) - 1, len(times), value)


def rfm_by_customer(transactions: Iterable[Transaction]) -> dict[int, CustomerRfm]:
    """The whole table from all transactions of a shop: a row for each customer with an order."""
    everything = list(transactions)
    refunded = refunded_amounts(everything)
    by_customer: dict[int, list[Transaction]] = defaultdict(list)
    for transaction in everything:
        by_customer[transaction.customer_id].append(transaction)
    rows = {customer: rfm(own, refunded) for customer, own in by_customer.items()}
    return {customer: row for customer, row in rows.items() if row is not None}
