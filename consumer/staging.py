"""Brings the rows of a batch to the upsert statements: as JSON for a few, by COPY for many."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, LiteralString

import msgspec
import psycopg
from psycopg import sql as psql

from consumer.events import Batch, Change
from consumer.rows import ROW_TYPES
from retentioncast.core import shop
from retentioncast.infra.sql import sql

SQL = Path(__file__).parent / "sql"
#: Up to here one JSON parameter is quicker than COPY into a temporary table.
MOST_AS_JSON = 1000

_TYPES = {
    "customer_id": "bigint", "subscription_id": "bigint", "transaction_id": "bigint", "session_id": "bigint",
    "refers_to": "bigint", "pages": "integer", "price": "numeric", "amount": "numeric",
    "created_at": "timestamptz", "started_at": "timestamptz", "cancelled_at": "timestamptz",
    "occurred_at": "timestamptz", "commit_lsn": "bigint", "lsn": "bigint", "deleted": "boolean",
}  # fmt: skip


def columns(role: str) -> dict[str, str]:
    """The columns of a staged row and their types, in order."""
    names = (*ROW_TYPES[role].__struct_fields__, "commit_lsn", "lsn", "deleted")
    return {name: _TYPES.get(name, "text") for name in names}


def values(role: str, change: Change) -> tuple[Any, ...]:
    """One staged row; a deletion has its key and its version, the rest is null."""
    if change.row is not None:
        return (*msgspec.structs.astuple(change.row), *change.version, False)
    nothing = (None,) * (len(ROW_TYPES[role].__struct_fields__) - 1)
    return (change.key, *nothing, *change.version, True)


def make_temporary_tables(connection: psycopg.Connection) -> None:
    """The tables that large batches are copied into; they belong to this connection and forget at each commit."""
    for role in shop.ROLES:
        typed = ", ".join(f"{name} {kind}" for name, kind in columns(role).items())
        statement = f"create temporary table staged_{role} ({typed}) on commit delete rows"
        connection.execute(psql.SQL(statement))


#: Of each role, from what its upsert reads ("json" or "table"), and the parameters for that.
type Sources = dict[str, tuple[str, Sequence[Any]]]


def stage_rows(connection: psycopg.Connection, batch: Batch) -> Sources:
    """Bring all rows of a batch to the server."""
    return {role: stage(connection, role, versions.values()) for role, versions in batch.rows.items()}


def stage(connection: psycopg.Connection, role: str, changes: Iterable[Change]) -> tuple[str, Sequence[Any]]:
    """Bring the rows to the server: the name of the source for the upsert statement, and its parameters."""
    rows = [values(role, change) for change in changes]
    if len(rows) <= MOST_AS_JSON:
        names = tuple(columns(role))
        return "json", [msgspec.json.encode([dict(zip(names, row, strict=True)) for row in rows]).decode()]
    copy = psql.SQL("copy pg_temp.{} from stdin").format(psql.Identifier(f"staged_{role}"))
    with connection.cursor().copy(copy) as writer:
        for row in rows:
            writer.write_row(row)
    return "table", ()


#: The version below which a TRUNCATE has made all rows void; looked up once a statement.
_FLOOR = """(
    (select coalesce(max(commit_lsn), -1) from analytics.truncations where table_name = '{role}'),
    (select coalesce(max(lsn), -1) from analytics.truncations where table_name = '{role}'))"""


def _statement(role: str, source: str) -> LiteralString:
    if source == "json":
        # A third of the time that arrays, one a column, take to be written and sent.
        typed = ", ".join(f"{name} {kind}" for name, kind in columns(role).items())
        source = f"json_to_recordset(%s::json) as staged ({typed})"
    else:
        source = f"pg_temp.staged_{role} as staged"
    text: str = sql(f"mirror.{role}", SQL)
    return text.replace("{floor}", _FLOOR.replace("{role}", role)).replace("{source}", source)


#: The upsert of each role from each source, made once.
UPSERTS = {(role, source): _statement(role, source) for role in shop.ROLES for source in ("json", "table")}
