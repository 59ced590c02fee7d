"""The parts are the whole way, for any history; and what is known on the way is what the rule says."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from retentioncast.core.explaining import Known, Level, parts_of, steps_since
from retentioncast.core.rfm import Transaction, is_order, refunded_amounts

START = datetime(2026, 1, 1, tzinfo=UTC)


def at(day: float) -> datetime:
    return START + timedelta(days=day)


def bought(key: int, day: float, amount: str = "10") -> Transaction:
    return Transaction(key, 1, "purchase", Decimal(amount), at(day))


def refunded(key: int, day: float, of: int, amount: str = "10") -> Transaction:
    return Transaction(key, 1, "refund", Decimal(amount), at(day), of)


def history(seed: int) -> list[Transaction]:
    """Purchases, renewals, free orders, refunds in part, in full, in two halves, without a purchase, and before it."""
    chance = random.Random(seed)
    rows = [bought(key, chance.uniform(0, 60), chance.choice(["10", "10", "0"])) for key in range(12)]
    rows += [
        refunded(100 + key, chance.uniform(0, 90), chance.randrange(14), chance.choice(["10", "5", "3"]))
        for key in range(10)
    ]
    rows.append(Transaction(200, 1, "renewal", Decimal(9), at(20)))
    rows.append(Transaction(201, 1, "refund", Decimal(9), at(30)))
    chance.shuffle(rows)
    return rows


def by_the_rule(rows: list[Transaction], moment: datetime) -> Known | None:
    """Counted anew from all rows up to the moment."""
    seen = [row for row in rows if row.occurred_at <= moment]
    back = refunded_amounts(seen)
    orders = [row for row in seen if row.kind == "purchase" and is_order(row, back.get(row.transaction_id, Decimal(0)))]
    days = {row.occurred_at.date() for row in orders}
    if not days:
        return None
    return Known(len(days) - 1, (max(days) - min(days)).days, (moment.date() - min(days)).days)


def level(known: Known | None) -> Level | None:
    """Some function of what is known."""
    if known is None:
        return None
    value = Decimal(1) / (2 + known.frequency + known.age_days) + Decimal(known.recency_days) / 1000
    return Level(round(value, 4), round(1 - value / 3, 4))


@pytest.mark.parametrize("seed", range(25))
def test_what_is_known_on_the_way_is_what_the_rule_says(seed: int) -> None:
    rows, since, now = history(seed), at(15.5), at(80.25)
    known, steps = steps_since(rows, since, now)
    assert known == by_the_rule(rows, since)
    for before, step in zip([None, *steps], steps, strict=False):
        if step.what == "time":
            seen = [row for row in rows if row.occurred_at < step.at] if step is not steps[-1] else rows
            assert step.after == by_the_rule(seen, step.at)
        elif before is None or before.at != step.at:
            assert step.after == by_the_rule(rows, step.at)
    assert steps[-1].after == by_the_rule(rows, now)
    assert [step.at for step in steps] == sorted(step.at for step in steps)
    happened = {row.transaction_id for row in rows if since < row.occurred_at <= now and row.transaction_id < 200}
    assert {step.transaction.transaction_id for step in steps if step.transaction} == happened


@pytest.mark.parametrize("seed", range(25))
def test_the_parts_add_up_to_the_last_digit(seed: int) -> None:
    known, steps = steps_since(history(seed), at(30), at(80))
    start, refitted = level(known) or Level(Decimal("0.5"), Decimal("0.5")), Level(Decimal("0.1234"), Decimal("0.8765"))
    levels = [level(step.after) for step in steps]
    parts = parts_of(start, steps, levels, refitted, at(80))
    assert sum(part.no_purchase_30d for part in parts) == refitted.no_purchase_30d - start.no_purchase_30d
    assert sum(part.probability_alive for part in parts) == refitted.probability_alive - start.probability_alive
    last = [start, *(each for each in levels if each)][-1]
    without = parts_of(start, steps, levels, None, at(80))
    assert without == parts[:-1]
    assert sum(part.no_purchase_30d for part in without) == last.no_purchase_30d - start.no_purchase_30d


def test_a_quiet_customer_has_one_step_and_a_quiet_day_none() -> None:
    known, steps = steps_since([bought(1, 0)], at(3), at(9))
    assert known == Known(0, 0, 3)
    assert [(step.what, step.after) for step in steps] == [("time", Known(0, 0, 9))]
    assert steps_since([bought(1, 0)], at(3), at(3.9)) == (known, [])


def test_time_passing_a_purchase_and_its_refund_each_have_their_step() -> None:
    _, steps = steps_since([bought(1, 0), bought(2, 5), refunded(3, 8, of=2)], at(1), at(10))
    assert [(step.what, step.after) for step in steps] == [
        ("time", Known(0, 0, 5)), ("purchase", Known(1, 5, 5)), ("time", Known(1, 5, 8)), ("refund", Known(0, 0, 8)),
        ("time", Known(0, 0, 10)),
    ]  # fmt: skip


def test_what_brings_a_purchase_back_counts_from_the_last_level_there_was() -> None:
    known, steps = steps_since([bought(1, 0), refunded(2, 3, of=1), bought(3, 6)], at(1), at(6))
    levels = [level(step.after) for step in steps]
    assert [each is None for each in levels] == [False, True, True, False]
    start = level(known)
    assert start is not None
    changes = [part.no_purchase_30d for part in parts_of(start, steps, levels, None, at(6))]
    assert changes[1:3] == [0, 0] and changes[3] != 0


def test_before_the_first_purchase_nothing_is_known() -> None:
    assert steps_since([bought(1, 5)], at(2), at(2.5)) == (None, [])
    assert steps_since([bought(1, 5)], at(2), at(6))[0] is None
