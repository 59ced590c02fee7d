"""Reads what segments are worth for people, or says why nothing is known."""

from __future__ import annotations

from typing import Any

from psycopg.rows import dict_row

from retentioncast.core.errors import NotEnoughData
from retentioncast.infra.postgres import connect
from retentioncast.infra.settings import Settings
from retentioncast.infra.sql import sql

Row = dict[str, Any]

_NEXT_STEP = (
    "A refit begins half a minute after the first scores, and again on its own period (scorer.segments.period_s); "
    "see `retentioncast logs scorer`."
)


def read_segments(settings: Settings) -> tuple[list[Row], str]:
    """Rows of scores.segment_values, and why they are not of the last refit (empty if they are).

    Errors: NotEnoughData when there are none yet, with the reason.
    """
    with connect(settings, "reader") as connection, connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(sql("segments.values")).fetchall()
        run = cursor.execute(sql("segments.last_run")).fetchone()
    if not rows:
        why = f"run {run['run_id']} was {run['status']}: {run['reason']}" if run else "no refit has ended."
        raise NotEnoughData(f"There are no segment values yet: {why}", _NEXT_STEP)
    if run is None or run["status"] == "published":
        return rows, ""
    return rows, f"The last refit (run {run['run_id']}) was {run['status']}: {run['reason']}"
