"""Fills the mirror by hand, as the consumer would leave it: for tests of what is read from it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np

from consumer.staging import SQL
from retentioncast.imports.cdnow import find_cdnow
from retentioncast.imports.rows import RawRow
from retentioncast.infra.postgres import connect
from retentioncast.infra.settings import ScorerSettings, Settings
from retentioncast.infra.sql import sql

START = datetime(2026, 1, 1, 12, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Bought:
    """A row of transactions."""

    customer_id: int
    day: float
    amount: str = "10.00"
    kind: str = "purchase"
    transaction_id: int | None = None
    refers_to: int | None = None

    @property
    def occurred_at(self) -> datetime:
        return START + timedelta(days=self.day)


@dataclass(frozen=True, slots=True)
class Subscribed:
    """A row of subscriptions; days since START."""

    customer_id: int
    day: float
    cancelled_day: float | None = None
    plan: str = "basic"
    price: str = "9.00"


def add_transactions(database: Settings, rows: Iterable[Bought], first: int = 1_000_000) -> None:
    """Rows numbered from `first` on where they have no number of their own."""
    statement = (
        "copy analytics.transactions (transaction_id, customer_id, kind, amount, currency, occurred_at, refers_to,"
        " commit_lsn, lsn, deleted) from stdin"
    )
    with connect(database, "consumer") as connection, connection.cursor().copy(statement) as copy:
        for number, row in enumerate(rows, start=first):
            key = number if row.transaction_id is None else row.transaction_id
            fields = (key, row.customer_id, row.kind, Decimal(row.amount), "USD", row.occurred_at, row.refers_to)
            copy.write_row((*fields, number, number, False))


def settle_totals(database: Settings) -> None:
    """What the consumer derives from the mirror, anew: refunded amounts and each customer's totals."""
    with connect(database, "consumer") as connection:
        for name in ("reset_refunded", "forget_totals", "rebuild_totals"):
            connection.execute(sql(f"mirror.{name}", SQL))


def add_subscriptions(database: Settings, rows: Iterable[Subscribed]) -> None:
    statement = (
        "copy analytics.subscriptions (subscription_id, customer_id, plan, billing_period, price, currency,"
        " started_at, cancelled_at, commit_lsn, lsn, deleted) from stdin"
    )
    with connect(database, "consumer") as connection, connection.cursor().copy(statement) as copy:
        for number, row in enumerate(rows, start=1):
            ended = None if row.cancelled_day is None else START + timedelta(days=row.cancelled_day)
            began = START + timedelta(days=row.day)
            fields = (number, row.customer_id, row.plan, "monthly", Decimal(row.price), "USD", began, ended)
            copy.write_row((*fields, number, number, False))


def set_stream_time(database: Settings, day: float) -> datetime:
    """The stream has come to so many days after START."""
    moment = START + timedelta(days=day)
    with connect(database, "consumer") as connection:
        connection.execute(
            "insert into analytics.offsets (topic, partition, next_offset, topic_id, stream_time)"
            " values ('transactions', 0, 1, 'id', %s)"
            " on conflict (topic, partition) do update set stream_time = excluded.stream_time",
            (moment,),
        )
    return moment


def cdnow() -> list[Bought]:
    """The sample's purchases."""
    rows = [row for row in find_cdnow().rows() if isinstance(row, RawRow)]
    return [Bought(int(row.customer), (_day(row.time) - START) / timedelta(days=1), row.amount) for row in rows]


def _day(text: str) -> datetime:
    return datetime.strptime(text, "%Y%m%d").replace(tzinfo=UTC)


def plausible_shop(customers: int = 300, seed: int = 1, days: int = 300) -> list[Bought]:
    """Customers who buy at rates of their own and leave at some time."""
    rng = np.random.default_rng(seed)
    rows = []
    for customer in range(1, customers + 1):
        day, pause, leaves = rng.uniform(0, days / 2), rng.gamma(2, 15), rng.uniform(0.1, 0.3)
        spend = rng.gamma(4, 10)
        while day < days:
            rows.append(Bought(customer, round(float(day), 5), f"{rng.gamma(6, spend / 6) + 0.01:.2f}"))
            day += rng.exponential(pause)
            if rng.random() < leaves:
                break
    return rows


def subscribers(count: int = 200, seed: int = 2, days: int = 300) -> list[Subscribed]:
    """Basic is cancelled twice as fast as pro."""
    rng = np.random.default_rng(seed)
    rows = []
    for customer in range(1, count + 1):
        plan, price, mean = ("basic", "9.00", 150.0) if customer % 2 else ("pro", "29.00", 300.0)
        day = float(rng.uniform(0, days - 10))
        end = day + float(rng.exponential(mean))
        rows.append(Subscribed(customer, day, end if end < days else None, plan, price))
    return rows


def with_scorer(database: Settings, **changes: object) -> Settings:
    """The same settings with others for the scorer."""
    scorer = ScorerSettings.model_validate({**database.scorer.model_dump(), "draws": 50, **changes})
    return database.model_copy(update={"scorer": scorer})
