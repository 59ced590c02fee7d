"""Why a customer's risk moved: what happened since a time, one thing after the other, and what each did to it.

What repeat buying knows of a customer is counted as scorer/sql/snapshot.sql does: UTC days with a purchase that stands.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Literal

from retentioncast.core.rfm import Transaction, is_order

What = Literal["time", "purchase", "refund", "refit"]
_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Known:
    """Repeat purchase days, days from the first to the latest, and from the first to the moment."""

    frequency: int
    recency_days: int
    age_days: int


@dataclass(frozen=True, slots=True)
class Step:
    """Time that passed until `at`, or a purchase or refund then; what is known after it (None: no purchase stands)."""

    what: What
    at: datetime
    after: Known | None
    transaction: Transaction | None = None


@dataclass(frozen=True, slots=True)
class Level:
    """The two probabilities, as decimals, so that their differences add up to the last digit."""

    no_purchase_30d: Decimal
    probability_alive: Decimal


@dataclass(frozen=True, slots=True)
class Part:
    """By how much a step moved each probability, and where they stood after it (None: no purchase stands)."""

    what: What
    at: datetime
    transaction: Transaction | None
    no_purchase_30d: Decimal
    probability_alive: Decimal
    after: Level | None


def steps_since(transactions: Iterable[Transaction], since: datetime, now: datetime) -> tuple[Known | None, list[Step]]:
    """What was known at `since`, and all steps from there to `now` in order; the last is time passing until now.

    `transactions` are the customer's, and the refunds of them, whoever they belong to. Time passing until the same UTC
    day is no step, for it changes nothing.
    """
    counting, steps, moment = _Counting(), list[Step](), since
    events = sorted(filter(_counts, transactions), key=lambda each: (each.occurred_at, each.transaction_id))
    for each in events:
        if each.occurred_at <= since:
            counting.add(each)
    at_since = counting.known(since)
    for each in events:
        if since < each.occurred_at <= now:
            steps += counting.wait(moment, each.occurred_at)
            counting.add(each)
            what: What = "refund" if each.kind == "refund" else "purchase"
            steps.append(Step(what, each.occurred_at, counting.known(each.occurred_at), each))
            moment = each.occurred_at
    return at_since, [*steps, *counting.wait(moment, now)]


def parts_of(
    start: Level, steps: Sequence[Step], levels: Sequence[Level | None], refitted: Level | None, now: datetime
) -> list[Part]:
    """What each step did, then the refit if there was one; together they are the whole way from `start`, exactly.

    `levels` are those after each step, by the models of `start`. Where no purchase stands there is no level: what
    brings one back counts from the last there was.
    """
    parts, before = list[Part](), start
    for step, level in zip(steps, levels, strict=True):
        parts.append(_part(step.what, step.at, step.transaction, before, level))
        before = level or before
    return parts if refitted is None else [*parts, _part("refit", now, None, before, refitted)]


def _part(what: What, at: datetime, transaction: Transaction | None, before: Level, after: Level | None) -> Part:
    to = after or before
    return Part(
        what,
        at,
        transaction,
        to.no_purchase_30d - before.no_purchase_30d,
        to.probability_alive - before.probability_alive,
        after,
    )


def _counts(transaction: Transaction) -> bool:
    return transaction.kind == "purchase" or (transaction.kind == "refund" and transaction.refers_to is not None)


@dataclass(slots=True)
class _Counting:
    """Days with a purchase that stands, as rows come one by one."""

    purchases: dict[int, Transaction] = field(default_factory=dict)
    refunded: dict[int, Decimal] = field(default_factory=dict)
    standing: set[int] = field(default_factory=set)
    days: Counter[date] = field(default_factory=Counter)

    def add(self, transaction: Transaction) -> None:
        key = transaction.transaction_id
        if transaction.kind == "refund":
            assert transaction.refers_to is not None
            key = transaction.refers_to
            self.refunded[key] = self.refunded.get(key, _ZERO) + transaction.amount
        else:
            self.purchases[key] = transaction
        if key in self.purchases:
            self._judge(self.purchases[key])

    def _judge(self, purchase: Transaction) -> None:
        key, day = purchase.transaction_id, _day(purchase.occurred_at)
        stands = is_order(purchase, self.refunded.get(key, _ZERO))
        if stands and key not in self.standing:
            self.standing.add(key)
            self.days[day] += 1
        elif not stands and key in self.standing:
            self.standing.remove(key)
            self.days[day] -= 1
            self.days += Counter()

    def known(self, moment: datetime) -> Known | None:
        if not self.days:
            return None
        first, latest = min(self.days), max(self.days)
        return Known(len(self.days) - 1, (latest - first).days, (_day(moment) - first).days)

    def wait(self, since: datetime, until: datetime) -> list[Step]:
        """Time passing is a step when a day has passed."""
        return [] if _day(since) == _day(until) else [Step("time", until, self.known(until))]


def _day(moment: datetime) -> date:
    return moment.astimezone(UTC).date()
