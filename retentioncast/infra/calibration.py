"""Reads how published probabilities turned out; where none has met its horizon yet, what the backtest says."""

from __future__ import annotations

from typing import Any

from psycopg.rows import dict_row

from retentioncast.core.errors import InvalidInput, NotEnoughData
from retentioncast.infra.postgres import connect
from retentioncast.infra.settings import Settings
from retentioncast.infra.sql import sql

Row = dict[str, Any]


def read_calibration(
    settings: Settings, segment: str = "all", horizon: int | None = None, run: int | None = None
) -> list[Row]:
    """Rows of horizon_days, decile, n, mean_predicted, happened (nothing was bought), runs, families, by horizon.

    Errors: NotEnoughData while no prediction has met its horizon, with when the first will; InvalidInput for a segment,
    horizon or run of which there is none.
    """
    asked = {"segment": segment, "horizon": horizon, "run": run}
    with connect(settings, "reader") as connection, connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(sql("calibration.matured"), asked).fetchall()
        if rows:
            return rows
        segments = [row["segment"] for row in cursor.execute(sql("calibration.segments")).fetchall()]
    if segments:
        raise InvalidInput(
            f"None of segment {segment!r}, horizon {horizon or 'any'}, run {run or 'any'} has met its horizon.",
            f"Segments: {', '.join(segments)}.",
        )
    raise NotEnoughData(*_why_none(settings))


def read_backtest(settings: Settings) -> list[Row]:
    """The newest backtest's horizon_days, calibration_error, log_score, run_id; empty when there was none."""
    with connect(settings, "reader") as connection, connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(sql("calibration.backtest")).fetchall()


def read_backtest_deciles(settings: Settings) -> list[Row]:
    """The newest backtest's horizon_days, decile, n, mean_predicted, happened, over all its origins."""
    with connect(settings, "reader") as connection, connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(sql("calibration.backtest_deciles")).fetchall()


def _why_none(settings: Settings) -> tuple[str, str]:
    with connect(settings, "reader") as connection:
        first, waiting = connection.execute(sql("calibration.waiting")).fetchone() or (None, 0)
    if not waiting:
        return "No prediction has been kept yet: nothing was published.", "See scores.model_runs."
    return (
        f"No prediction has met its horizon yet: {waiting:,} wait, the first until the stream has passed {first}.",
        "Until then scores.backtests says how good they would have been.",
    )
