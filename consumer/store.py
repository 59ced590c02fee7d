"""Writes a batch to Postgres: mirror, RFM, online state and offsets in one transaction, or nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, LiteralString

import psycopg

from consumer.events import Batch, DeadLetter, Place, Span, StreamKey
from consumer.online_state import PartitionDelta, write_online
from consumer.staging import MOST_AS_JSON, SQL, UPSERTS, Sources, make_temporary_tables, stage_rows
from retentioncast.core import shop
from retentioncast.core.errors import Fenced
from retentioncast.infra.sql import sql


def prepare(connection: psycopg.Connection) -> None:
    """Make a fresh connection ready for batches."""
    connection.autocommit = True
    connection.execute("set jit = off")
    # The statements are few and always the same; plans for unknown sizes would be made anew each time otherwise.
    connection.execute("set plan_cache_mode = force_generic_plan")
    # Rows are found one by one by their key, in its order: an order of locks that all consumers share.
    connection.execute("set enable_hashjoin = off")
    connection.execute("set enable_mergejoin = off")
    connection.execute("set timezone = 'UTC'")
    connection.prepare_threshold = 0
    make_temporary_tables(connection)


def write_batch(connection: psycopg.Connection, batch: Batch, online: list[PartitionDelta]) -> None:
    """Apply a batch in one transaction.

    Raises:
        Fenced: the offsets are not where this consumer left them; nothing was written.
        psycopg.Error: nothing was written.
    """
    with connection.transaction():
        write_staged(connection, batch, online, stage_rows(connection, batch))


def write_staged(connection: psycopg.Connection, batch: Batch, online: list[PartitionDelta], sources: Sources) -> None:
    """Apply a batch whose rows are at the server, in the caller's transaction; raises as `write_batch` does.

    All statements go out at once (pipeline mode): the way to the server and back is paid once, not for each.
    """
    with connection.pipeline():
        if batch.messages <= MOST_AS_JSON:
            connection.execute(sql("progress.flush_later", SQL))
        _lock(connection, alone=bool(batch.truncations))
        moved = _move_offsets(connection, batch.spans)
        for role, version in batch.truncations.items():
            truncate(connection, role, version)
        upserts = {role: connection.execute(*_upsert(role, *sources[role])) for role in shop.ROLES if role in sources}
        write_online(connection, online)
        _write_dead(connection, batch.dead)
    _refuse_if_overtaken(moved.rowcount, len(batch.spans))
    if shop.TRANSACTIONS in upserts:
        _follow_up(connection, upserts[shop.TRANSACTIONS].fetchall())


def upsert(connection: psycopg.Connection, role: str, source: str, parameters: Sequence[Any]) -> None:
    """Write the staged rows of one table; transactions carry the RFM sums along."""
    cursor = connection.execute(*_upsert(role, source, parameters))
    if role == shop.TRANSACTIONS:
        _follow_up(connection, cursor.fetchall())


def _upsert(role: str, source: str, parameters: Sequence[Any]) -> tuple[LiteralString, Sequence[Any] | None]:
    return UPSERTS[role, source], parameters or None


def truncate(connection: psycopg.Connection, role: str, version: StreamKey) -> None:
    """All rows of the table before this version are gone, in the mirror and in what follows from it."""
    connection.execute(sql("progress.join_whole_tables", SQL))
    connection.execute(
        sql("mirror.truncation_floor", SQL), {"table": role, "commit_lsn": version[0], "lsn": version[1]}
    )
    statement = sql("mirror.truncate_mirror", SQL).replace("{table}", role)
    connection.execute(statement, {"commit_lsn": version[0], "lsn": version[1]})
    if role == shop.TRANSACTIONS:
        for name in ("reset_refunded", "forget_totals", "rebuild_totals"):
            connection.execute(sql(f"mirror.{name}", SQL))


def _follow_up(connection: psycopg.Connection, todo: list[tuple[Any, ...]]) -> None:
    refunds = [(key, amount) for kind, key, amount, *_ in todo if kind == "refund"]
    lost = [(key, *ends) for kind, key, _, *ends in todo if kind == "recheck"]
    if refunds:
        ids, amounts = (list(column) for column in zip(*refunds, strict=True))
        cursor = connection.execute(sql("mirror.refunds", SQL), {"ids": ids, "amounts": amounts})
        lost += cursor.fetchall()
    if lost:
        ids, firsts, latests = (list(column) for column in zip(*sorted(lost), strict=True))
        connection.execute(sql("mirror.recheck", SQL), {"ids": ids, "firsts": firsts, "latests": latests})


def _lock(connection: psycopg.Connection, alone: bool) -> None:
    connection.execute(sql("progress.lock_exclusive" if alone else "progress.lock_shared", SQL))


def _move_offsets(connection: psycopg.Connection, spans: dict[Place, Span]) -> psycopg.Cursor[Any]:
    parameters = {
        "topics": [topic for topic, _ in spans],
        "partitions": [partition for _, partition in spans],
        "firsts": [span.first for span in spans.values()],
        "nexts": [span.next for span in spans.values()],
        "times": [span.stream_time for span in spans.values()],
    }
    return connection.execute(sql("progress.move_offsets", SQL), parameters)


def _refuse_if_overtaken(moved: int, wanted: int) -> None:
    if moved != wanted:
        raise Fenced(
            f"{wanted - moved} of {wanted} partitions were moved on by another consumer.",
            "This one stops; it takes part again when it is restarted.",
        )


def _write_dead(connection: psycopg.Connection, dead: list[DeadLetter]) -> None:
    if dead:
        connection.cursor().executemany(sql("progress.dead_letter", SQL), [asdict(letter) for letter in dead])
