"""Feeds the online models, one a partition. (Needs river, a second of start-up: only who learns imports it.)"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import psycopg

from consumer.decode import event_time
from consumer.events import Batch, Change
from consumer.online_state import PartitionDelta
from consumer.rows import Session, Subscription, Transaction
from consumer.staging import SQL
from retentioncast.core.shop import ORDER_KINDS
from retentioncast.infra.sql import sql
from retentioncast.models.online import (
    OnlineChurn,
    OnlineConfig,
    OrderPlaced,
    SessionStarted,
    SubscriptionChanged,
)
from retentioncast.models.online.events import Event


@dataclass(slots=True)
class OnlineModels:
    """The models of the partitions that this consumer holds."""

    config: OnlineConfig
    models: dict[int, OnlineChurn]

    def load(self, connection: psycopg.Connection, partitions: Iterable[int]) -> None:
        """Hold the models of these partitions, and no others, as their last committed batches left them."""
        self.models = {number: load_model(connection, number, self.config) for number in partitions}

    def learn(self, batch: Batch) -> list[PartitionDelta]:
        """Let each model see its part of the batch, in the order of the stream. Call once a batch."""
        deltas = []
        for partition, changes in sorted(batch.stream.items()):
            model = self.models[partition]
            for change in changes:
                if (event := as_event(change)) is not None:
                    model.observe(event)
            deltas.append((partition, model.drain()))
        return deltas


def as_event(change: Change) -> Event | None:
    """What the online model learns from a change: new orders and sessions, and subscriptions as they change."""
    row, at = change.row, change.at
    if at is None or row is None:
        return None
    if isinstance(row, Transaction):
        placed = change.op != "u" and row.kind in ORDER_KINDS
        return OrderPlaced(row.customer_id, at, float(row.amount)) if placed else None
    if isinstance(row, Session):
        return SessionStarted(row.customer_id, at, row.pages) if change.op != "u" else None
    if isinstance(row, Subscription):
        return _subscription(row, at)
    return None


def _subscription(row: Subscription, started: float) -> Event:
    if row.cancelled_at is None:
        return SubscriptionChanged(row.customer_id, started, row.plan, active=True)
    return SubscriptionChanged(row.customer_id, event_time(row.cancelled_at, "cancelled_at"), row.plan, active=False)


def load_model(connection: psycopg.Connection, partition: int, config: OnlineConfig) -> OnlineChurn:
    """The model of a partition as the last committed batch left it, or a new one."""
    saved = connection.execute(sql("online.read_model", SQL), {"partition": partition}).fetchone()
    if saved is None:
        return OnlineChurn(config)
    customers = connection.execute(sql("online.read_customers", SQL), {"partition": partition}).fetchall()
    return OnlineChurn.restore(config, saved[0], customers)
