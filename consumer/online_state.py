"""Writes what the online models have learnt where the offsets are, in the same transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import psycopg

from consumer.staging import SQL
from retentioncast.infra.sql import sql

if TYPE_CHECKING:
    from retentioncast.models.online import OnlineDelta

#: A partition number and what its model has to say about a batch.
type PartitionDelta = tuple[int, OnlineDelta]


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
