"""A shop for tests that speaks Debezium: its changes as messages, and what the tables should hold afterwards."""

from __future__ import annotations

import json
import random
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from retentioncast.core.rfm import CustomerRfm, Transaction, refunded_amounts, rfm

PREFIX = "retentioncast"
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class FakeMessage:
    """As much of a Kafka message as the consumer uses."""

    _topic: str
    _partition: int
    _offset: int
    _key: bytes | None
    _value: bytes | None

    def topic(self) -> str:
        return self._topic

    def partition(self) -> int:
        return self._partition

    def offset(self) -> int:
        return self._offset

    def key(self) -> bytes | None:
        return self._key

    def value(self) -> bytes | None:
        return self._value

    def error(self) -> None:
        return None


def message(
    table: str,
    op: str,
    key: int | None,
    row: dict[str, Any] | None,
    lsn: int,
    partition: int = 0,
    offset: int = 0,
    commit_lsn: int | None = None,
) -> FakeMessage:
    """One change event as Debezium writes it with our settings."""
    key_column = f"{table[:-1]}_id"
    event = {
        "before": None,
        "after": row,
        "source": {
            "lsn": None if op == "r" else lsn,
            "sequence": f'["{lsn - 1 if commit_lsn is None else commit_lsn}","{lsn}"]',
            "table": table,
            "schema": "shop",
        },
        "op": op,
        "ts_ms": 0,
    }
    key_bytes = None if key is None else json.dumps({key_column: key}).encode()
    return FakeMessage(f"{PREFIX}.shop.{table}", partition, offset, key_bytes, json.dumps(event).encode())


def transaction_row(
    transaction_id: int, customer_id: int, amount: str = "10.00", kind: str = "purchase", day: float = 0, **more: Any
) -> dict[str, Any]:
    """A row of shop.transactions as Debezium shows it."""
    return {
        "transaction_id": transaction_id, "customer_id": customer_id, "subscription_id": None, "kind": kind,
        "amount": amount, "currency": "USD", "occurred_at": (EPOCH + timedelta(days=day)).isoformat(),
        "refers_to": None, "promotion": None, **more,
    }  # fmt: skip


@dataclass
class FakeShop:
    """Holds rows, changes them at random in every way a shop does, and tells each change as a message."""

    seed: int
    partitions: int = 2
    customers: int = 6
    rows: dict[int, dict[str, Any]] = field(default_factory=dict)
    messages: list[FakeMessage] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)
        self._lsn = 1000
        self._next_id = 1
        self._offsets: dict[int, int] = defaultdict(int)

    def live(self, changes: int) -> None:
        """Let so many changes happen."""
        for _ in range(changes):
            self._random.choices(
                [self._insert, self._refund, self._correct, self._rekey, self._delete, self._resnapshot],
                [10, 4, 3, 2, 2, 1],
            )[0]()

    def truncate(self) -> None:
        """TRUNCATE shop.transactions."""
        self.rows.clear()
        self._lsn += 1
        self._send("t", None, None, partition=0)

    def expected(self) -> dict[int, CustomerRfm]:
        """The RFM table as the rule in the core says."""
        every = [_as_transaction(row) for row in self.rows.values()]
        refunded = refunded_amounts(every)
        by_customer: dict[int, list[Transaction]] = defaultdict(list)
        for each in every:
            by_customer[each.customer_id].append(each)
        found = {customer: rfm(own, refunded) for customer, own in by_customer.items()}
        return {customer: row for customer, row in found.items() if row is not None}

    def _send(self, op: str, key: int | None, row: dict[str, Any] | None, partition: int | None = None) -> None:
        if partition is None:
            partition = (row["customer_id"] if row else self._random.randrange(99)) % self.partitions
        offset = self._offsets[partition]
        self._offsets[partition] += 1
        self.messages.append(message("transactions", op, key, row, self._lsn, partition, offset))

    def _put(self, row: dict[str, Any], op: str) -> None:
        self._lsn += 1
        self.rows[row["transaction_id"]] = row
        self._send(op, row["transaction_id"], row)

    def _insert(self) -> None:
        kind = self._random.choice(["purchase", "purchase", "renewal"])
        amount = self._random.choice(["0.00", "10.00", "19.99", "5.01"])
        row = transaction_row(
            self._next_id, self._random.randrange(self.customers), amount, kind, self._random.random() * 300
        )
        self._next_id += 1
        self._put(row, "c")

    def _any(self) -> dict[str, Any] | None:
        return dict(self._random.choice(list(self.rows.values()))) if self.rows else None

    def _refund(self) -> None:
        target = self._any()
        if target is None or target["kind"] == "refund":
            return
        amount = self._random.choice([target["amount"], "3.00", "0.00"])
        refers_to = self._random.choice([target["transaction_id"]] * 4 + [None])
        row = transaction_row(self._next_id, target["customer_id"], amount, "refund", 301, refers_to=refers_to)
        self._next_id += 1
        self._put(row, "c")

    def _correct(self) -> None:
        if (row := self._any()) is not None:
            row["amount"] = self._random.choice(["0.00", "7.00", "10.00"])
            row["occurred_at"] = (EPOCH + timedelta(days=self._random.random() * 300)).isoformat()
            self._put(row, "u")

    def _rekey(self) -> None:
        if (row := self._any()) is not None:
            row["customer_id"] = self._random.randrange(self.customers)
            self._put(row, "u")

    def _delete(self) -> None:
        if (row := self._any()) is not None:
            self._lsn += 1
            del self.rows[row["transaction_id"]]
            self._send("d", row["transaction_id"], None)

    def _resnapshot(self) -> None:
        if (row := self._any()) is not None:
            self._lsn += 1
            self._send("r", row["transaction_id"], row)


def _as_transaction(row: dict[str, Any]) -> Transaction:
    return Transaction(
        row["transaction_id"], row["customer_id"], row["kind"], Decimal(row["amount"]),
        datetime.fromisoformat(row["occurred_at"]), row["refers_to"],
    )  # fmt: skip


def by_partition(messages: Iterable[FakeMessage]) -> dict[int, list[FakeMessage]]:
    """The messages as Kafka keeps them: in order within a partition, in none between them."""
    lanes: dict[int, list[FakeMessage]] = defaultdict(list)
    for each in messages:
        lanes[each.partition()].append(each)
    return dict(lanes)
