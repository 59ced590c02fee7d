"""Reads what is needed to say why a customer's risk moved, and says it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

import psycopg

from retentioncast.core.errors import InvalidInput, NotEnoughData
from retentioncast.core.explaining import Known, Level, Part, parts_of, steps_since
from retentioncast.core.rfm import Transaction
from retentioncast.infra.postgres import connect
from retentioncast.infra.settings import Settings
from retentioncast.infra.sql import sql

#: Without a time: since the earliest run of so many days.
LOOK_BACK = timedelta(days=30)
#: Probabilities are told to a hundredth of a percent, and their differences add up in these.
UNIT = Decimal("0.0001")


@dataclass(frozen=True, slots=True)
class Explanation:
    """From `start` (as of `since`, by run `run_then`) by `parts` to `end` (as of `now`, by run `run_now`)."""

    customer_id: int
    since: datetime
    now: datetime
    run_then: int
    run_now: int
    start: Level
    parts: list[Part]
    end: Level


def explain(settings: Settings, customer: int, since: datetime | None = None) -> Explanation:
    """Why the customer's risk is not what it was at `since` (default: at the earliest run of the last 30 days).

    Errors: NotEnoughData when no run has been published; InvalidInput for an unknown customer, a time before the
    customer's first purchase or before the first run, or after the stream's.
    """
    with connect(settings, "reader") as connection:
        connection.execute("set transaction isolation level repeatable read")
        now, run_now = _now(connection)
        run_then, since = _then(connection, since, now)
        known, steps = steps_since(_transactions(connection, customer), since, now)
        if known is None:
            raise InvalidInput(*_why_nothing_then(connection, customer, since))
        (start, *levels) = _levels(connection, run_then, [known, *(step.after for step in steps)])
        last = steps[-1].after if steps else known
        (end,) = _levels(connection, run_now, [last])
    if start is None or end is None:
        raise InvalidInput(
            f"No purchase of customer {customer} stands any more: all were refunded.", "There is no risk to explain."
        )
    parts = parts_of(start, steps, levels, None if run_now == run_then else end, now)
    return Explanation(customer, since, now, run_then, run_now, start, parts, end)


def _now(connection: psycopg.Connection) -> tuple[datetime, int]:
    row = connection.execute(sql("explain.now")).fetchone()
    if row is None or row[0] is None or row[1] is None:
        raise NotEnoughData("There are no scores yet.", "See `retentioncast status` and scores.model_runs.")
    return row[0], row[1]


def _then(connection: psycopg.Connection, since: datetime | None, now: datetime) -> tuple[int, datetime]:
    """The run whose scores stood at the time, and the time."""
    if since is not None and since > now:
        raise InvalidInput(f"The stream has come to {now:%Y-%m-%d %H:%M:%S %Z} only.", "Ask since a time before that.")
    name, moment = ("explain.first_run", now - LOOK_BACK) if since is None else ("explain.run_at", since)
    row = connection.execute(sql(name), {"moment": moment}).fetchone()
    if row is not None:
        return row[0], since or row[1]
    first = connection.execute(sql("explain.first_run"), {"moment": "-infinity"}).fetchone()
    raise InvalidInput(
        f"No run had been published at {moment:%Y-%m-%d %H:%M:%S %Z}.",
        f"The first is run {first[0]}: ask --since {first[1]:%Y-%m-%dT%H:%M:%SZ} or later."
        if first
        else "`retentioncast score` makes one.",
    )


def _transactions(connection: psycopg.Connection, customer: int) -> list[Transaction]:
    rows = connection.execute(sql("explain.transactions"), {"customer": customer}).fetchall()
    return [Transaction(*row) for row in rows]


def _levels(connection: psycopg.Connection, run: int, known: Sequence[Known | None]) -> list[Level | None]:
    """What a run says of each; None where nothing is known."""
    there = [each for each in known if each is not None]
    columns = {name: [getattr(each, name) for each in there] for name in ("frequency", "recency_days", "age_days")}
    rows = connection.execute(sql("explain.levels"), {"run": run, **columns}).fetchall()
    told = iter(Level(*(Decimal(value).quantize(UNIT) for value in row)) for row in rows)
    return [None if each is None else next(told) for each in known]


def _why_nothing_then(connection: psycopg.Connection, customer: int, since: datetime) -> tuple[str, str]:
    row = connection.execute(sql("scores.is_known"), {"customer": customer}).fetchone()
    if not row or not row[0]:
        return f"There is no customer {customer}.", "Customers are in analytics.customers."
    first = min(
        (each.occurred_at for each in _transactions(connection, customer) if each.kind == "purchase"), default=None
    )
    if first is None:
        return f"Customer {customer} has no purchase, so there is no risk to explain.", "It follows the first purchase."
    return (
        f"Customer {customer} had no purchase yet at {since:%Y-%m-%d %H:%M:%S %Z}.",
        f"The first was at {first:%Y-%m-%dT%H:%M:%SZ}: ask --since then, or later.",
    )
