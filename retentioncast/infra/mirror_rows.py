"""Reads rows of the mirror as a change would show them: the memory and the names of those who watch."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import psycopg
from psycopg import sql as compose
from psycopg.rows import dict_row

from retentioncast.core.passing import Row, Version
from retentioncast.infra.sql import sql


def recent_rows(
    connection: psycopg.Connection, role: str, columns: tuple[str, ...], limit: int
) -> Iterator[tuple[Version, Row]]:
    """The last changed rows of a mirror table, values as in a change event."""
    statement = compose.SQL(sql("watch.recent")).format(
        table=compose.Identifier("analytics", role), limit=compose.Literal(limit)
    )
    with connection.cursor(row_factory=dict_row) as cursor:
        for row in cursor.execute(statement):
            yield (row["commit_lsn"], row["lsn"]), {column: as_in_event(row[column]) for column in columns}


def customer_name(connection: psycopg.Connection, customer_id: int) -> str | None:
    """The customer's name, if analytics knows it."""
    row = connection.execute(sql("watch.customer_name"), {"customer": customer_id}).fetchone()
    return row[0] if row else None


def as_in_event(value: Any) -> Any:
    """Money as text, times in UTC with six digits: as Debezium writes them with our settings."""
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return value
