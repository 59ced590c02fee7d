"""Feeds the online models, one a partition, and keeps their state where the offsets are."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
import psycopg

from consumer.decode import event_time
from consumer.events import Batch, Change
from consumer.rows import Session, Subscription, Transaction
from consumer.staging import SQL
from retentioncast.core.shop import ORDER_KINDS
from retentioncast.infra.sql import sql
from retentioncast.models.online import (
    OnlineChurn,
    OnlineConfig,
    OnlineDelta,
    OrderPlaced,
    SessionStarted,
    SubscriptionChanged,
)
from retentioncast.models.online.events import Event

#: A partition number and what its model has to say about a batch.
type PartitionDelta = tuple[int, OnlineDelta]


@dataclass(slots=True)
class OnlineModels:
    """The models of the partitions that this consumer holds."""

    config: OnlineConfig
    models: dict[int, OnlineChurn]

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


def write_online(connection: psycopg.Connection, deltas: list[PartitionDelta]) -> None:
    """Write what the models have learnt, in the caller's transaction: one statement, all partitions at once."""
    if not deltas:
        return
    connection.execute(sql("online.write_states", SQL), _states(deltas))
    for partition, delta in deltas:
        _write_reports(connection, partition, delta)


def _states(deltas: list[PartitionDelta]) -> dict[str, str]:
    """Rows as JSON: msgspec writes it, and Postgres reads it, in a fraction of the time that arrays would take."""
    customers = {key: (partition, state) for partition, delta in deltas for key, state in delta.customers.items()}
    scores = {score.customer_id: (partition, score) for partition, delta in deltas for score in delta.scores}
    return {
        "models": _json([{"partition": partition, "state": delta.model_state} for partition, delta in deltas]),
        "customers": _json(
            [{"id": key, "partition": partition, "state": state} for key, (partition, state) in customers.items()]
        ),
        "scores": _json(
            [
                {"id": key, "partition": partition, "probability": score.probability, "at": score.as_of}
                for key, (partition, score) in scores.items()
            ]
        ),
    }


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _write_reports(connection: psycopg.Connection, partition: int, delta: OnlineDelta) -> None:
    for row in delta.metrics:
        parameters = {
            "partition": partition, "matured": row.n_matured, "at": row.stream_time, "log_loss": row.log_loss,
            "auc": row.auc, "base_rate": row.base_rate, "base_rate_log_loss": row.base_rate_log_loss,
        }  # fmt: skip
        connection.execute(sql("online.write_metrics", SQL), parameters)
    for drift in delta.drift:
        parameters = {
            "partition": partition, "matured": drift.n_matured, "at": drift.stream_time,
            "log_loss": drift.log_loss,
        }  # fmt: skip
        connection.execute(sql("online.write_drift", SQL), parameters)
