"""Makes up a shop's log of changes, and writes each as Debezium does with debezium/connector.json."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

#: What a change is, by share: most are sales (a tenth of them renewals).
DELETED, CORRECTED, RE_KEYED, REFUNDED = 0.01, 0.03, 0.002, 0.02
_FIRST_LSN, _BYTES_A_CHANGE, _CHANGES_A_COMMIT = 30_000_000, 184, 8
_EPOCH_US = 1_735_689_600_000_000
_FILLER = '"kind":"","amount":"0.00","currency":"USD","occurred_at":"1970-01-01T00:00:00Z"'


@dataclass(slots=True)
class Sale:
    """The present state of one row of shop.transactions."""

    transaction_id: int
    customer_id: int
    kind: str
    cents: int
    occurred_at: str
    refers_to: int | None = None

    @property
    def amount(self) -> str:
        return f"{self.cents // 100}.{self.cents % 100:02d}"


@dataclass(frozen=True, slots=True)
class Event:
    """One message: whose it is (the partition follows from it), its key and its value."""

    customer_id: int
    key: bytes
    value: bytes


@dataclass(slots=True)
class ShopLog:
    """So many changes of transactions over 18 months; `sales` is what the shop holds after the last one."""

    changes: int
    customers: int
    seed: int
    sales: dict[int, Sale] = field(default_factory=dict)
    _ids: list[int] = field(default_factory=list)
    _referred: set[int] = field(default_factory=set)
    _lsn: int = _FIRST_LSN
    _commit: int = _FIRST_LSN

    def events(self) -> Iterator[Event]:
        """All changes in the order of the log; iterate once."""
        draw = np.random.default_rng(self.seed)
        times = np.sort(draw.integers(0, 548 * 86_400_000_000, self.changes)) + _EPOCH_US
        texts = np.datetime_as_string(times.astype("datetime64[us]"), unit="us").tolist()
        activity = draw.gamma(0.8, size=self.customers)
        whose = (draw.choice(self.customers, self.changes, p=activity / activity.sum()) + 1).tolist()
        cents = np.rint(draw.lognormal(8.0, 0.6, self.changes)).astype(int).tolist()
        kinds, picks = draw.random(self.changes).tolist(), draw.random(self.changes).tolist()
        for number, (kind, pick) in enumerate(zip(kinds, picks, strict=True)):
            self._move_on(number)
            yield self._change(number + 1, kind, pick, whose[number], cents[number], texts[number] + "Z")

    def _move_on(self, number: int) -> None:
        if number % _CHANGES_A_COMMIT == 0:
            self._commit = self._lsn
        self._lsn += _BYTES_A_CHANGE

    def _change(self, new_id: int, kind: float, pick: float, customer: int, cents: int, at: str) -> Event:
        if len(self._ids) < 100 or kind > DELETED + CORRECTED + RE_KEYED + REFUNDED:
            return self._sold(Sale(new_id, customer, "renewal" if kind > 0.9 else "purchase", cents, at))
        place = int(pick * len(self._ids))
        sale = self.sales[self._ids[place]]
        if kind < DELETED and sale.transaction_id not in self._referred:
            return self._deleted(place, sale)
        if kind < DELETED + CORRECTED:
            sale.cents = max(1, sale.cents * 9 // 10)
            return self._updated(sale, None)
        if kind < DELETED + CORRECTED + RE_KEYED:
            before, sale.customer_id = sale.customer_id, customer
            return self._updated(sale, before if before != customer else None)
        return self._refunded(new_id, sale, at)

    def _sold(self, sale: Sale) -> Event:
        self.sales[sale.transaction_id] = sale
        self._ids.append(sale.transaction_id)
        return self._event(sale, "null", _row(sale), "c")

    def _refunded(self, new_id: int, sale: Sale, at: str) -> Event:
        """Half of it or all; of a refund none, that is corrected instead."""
        if sale.kind == "refund":
            return self._updated(sale, None)
        self._referred.add(sale.transaction_id)
        cents = sale.cents if new_id % 2 else sale.cents // 2
        return self._sold(Sale(new_id, sale.customer_id, "refund", cents, at, sale.transaction_id))

    def _updated(self, sale: Sale, old_customer: int | None) -> Event:
        before = "null" if old_customer is None else _identity(sale.transaction_id, old_customer)
        return self._event(sale, before, _row(sale), "u")

    def _deleted(self, place: int, sale: Sale) -> Event:
        self._ids[place] = self._ids[-1]
        self._ids.pop()
        del self.sales[sale.transaction_id]
        return self._event(sale, _identity(sale.transaction_id, sale.customer_id), "null", "d")

    def _event(self, sale: Sale, before: str, after: str, operation: str) -> Event:
        ms = 1_795_265_881_046 + self._lsn // 1000
        value = (
            f'{{"before":{before},"after":{after},"source":{{"version":"3.7.0.Final","connector":"postgresql",'
            f'"name":"retentioncast","ts_ms":{ms},"snapshot":"false","db":"retentioncast",'
            f'"sequence":"[\\"{self._commit}\\",\\"{self._lsn}\\"]","ts_us":{ms}196,"ts_ns":{ms}196000,'
            f'"schema":"shop","table":"transactions","txId":{self._commit // 1000},"lsn":{self._lsn},"xmin":null,'
            f'"origin":null,"origin_lsn":null}},"transaction":null,"op":"{operation}","ts_ms":{ms},'
            f'"ts_us":{ms}470,"ts_ns":{ms}470283}}'
        )
        return Event(sale.customer_id, b'{"transaction_id":%d}' % sale.transaction_id, value.encode())


def _row(sale: Sale) -> str:
    refers_to = "null" if sale.refers_to is None else sale.refers_to
    return (
        f'{{"transaction_id":{sale.transaction_id},"customer_id":{sale.customer_id},"subscription_id":null,'
        f'"kind":"{sale.kind}","amount":"{sale.amount}","currency":"USD","occurred_at":"{sale.occurred_at}",'
        f'"refers_to":{refers_to},"promotion":null}}'
    )


def _identity(transaction_id: int, customer_id: int) -> str:
    """The row as `before` shows it: the replica identity, and filler."""
    return (
        f'{{"transaction_id":{transaction_id},"customer_id":{customer_id},"subscription_id":null,{_FILLER},'
        f'"refers_to":null,"promotion":null}}'
    )
