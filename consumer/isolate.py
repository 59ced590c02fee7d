"""Finds the rows of a batch that Postgres itself refuses, so that one bad message does not stop the stream."""

from __future__ import annotations

import psycopg

from consumer.decode import dead_letter
from consumer.events import Batch, Change
from consumer.staging import stage
from consumer.store import upsert
from retentioncast.core.errors import InvalidMessage


class _Undo(Exception):
    """Leaves a trial transaction without a trace."""


def isolate(connection: psycopg.Connection, batch: Batch) -> None:
    """Move the changes that cannot be written from the batch's rows to its dead letters. Writes nothing itself."""
    for role, versions in batch.rows.items():
        for key, change in list(versions.items()):
            if (reason := _refusal(connection, role, change)) is not None:
                del versions[key]
                batch.dead.append(dead_letter(change.message, InvalidMessage(reason)))


def _refusal(connection: psycopg.Connection, role: str, change: Change) -> str | None:
    try:
        with connection.transaction():
            upsert(connection, role, *stage(connection, role, [change]))
            raise _Undo
    except _Undo:
        return None
    except psycopg.DataError as error:
        reason = str(error).strip().splitlines()[0]
        return f"{reason}: {error.diag.message_detail}" if error.diag.message_detail else reason
