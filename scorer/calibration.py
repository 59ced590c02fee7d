"""Predictions are kept until their horizon has passed, then held against what happened."""

from __future__ import annotations

import logging
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psycopg

from retentioncast.infra.settings import JudgingSettings
from retentioncast.infra.sql import sql
from retentioncast.models.judging.calibration import calibration_table
from scorer.history import buckets
from scorer.purchases import HORIZONS_DAYS

logger = logging.getLogger(__name__)

SQL = Path(__file__).parent / "sql"
EVERYBODY = "all"
#: A segment of fewer predictions is not shown apart: its tenths would hold a handful.
LEAST_OF_SEGMENT = 200

Row = tuple[int, int, str, float, int]


def keep_predictions(
    connection: psycopg.Connection,
    run_id: int,
    as_of: datetime,
    scores: pd.DataFrame,
    uncalibrated: pd.DataFrame | None,
    settings: JudgingSettings,
) -> None:
    """Keep a sample of this run's P(no purchase), if the last ones kept are old enough."""
    fields = {"as_of": as_of, "days": settings.keep_every_days}
    due = connection.execute(sql("judging.is_due", SQL), fields).fetchone()
    columns = [f"no_purchase_{days}d" for days in HORIZONS_DAYS]
    if not due or not due[0] or not set(columns) <= set(scores.columns):
        return
    told = scores.loc[scores[columns].notna().all(axis=1), columns]
    before = told if uncalibrated is None else uncalibrated.loc[told.index, columns]
    rows = {
        "horizon_days": np.repeat(HORIZONS_DAYS, len(told)).tolist(),
        "customer_id": np.tile(told.index.to_numpy(dtype=np.int64), len(columns)).tolist(),
        "probability": told.to_numpy(dtype=np.float64).T.ravel().tolist(),
        "uncalibrated": before.to_numpy(dtype=np.float64).T.ravel().tolist(),
        "run_id": run_id,
        "as_of": as_of,
        "buckets": buckets(settings.kept_customers, len(told)),
    }
    connection.execute(sql("judging.keep_predictions", SQL), rows)


def settle_predictions(connection: psycopg.Connection, as_of: datetime) -> int:
    """Hold predictions whose horizon has passed against what happened; how many there were.

    Those of runs that did not know yet what had happened before them are dropped.
    """
    dropped = connection.execute(sql("judging.drop_premature", SQL), {"as_of": as_of}).rowcount
    if dropped:
        logger.info("%s predictions were made too early to count.", dropped, extra={"action": "settle"})
    rows: list[Row] = connection.execute(sql("judging.settle", SQL), {"as_of": as_of}).fetchall()
    for (run_id, horizon), of_run in groupby(sorted(rows), key=lambda row: row[:2]):
        told = pd.DataFrame(list(of_run), columns=["run_id", "horizon_days", "segment", "probability", "happened"])
        for row in calibration_rows(told):
            fields = {"run_id": run_id, "horizon_days": horizon, **row}
            connection.execute(sql("judging.write_calibration", SQL), fields)
    connection.execute(sql("judging.forget_predictions", SQL), {"as_of": as_of})
    if rows:
        logger.info("%s predictions met their horizon.", len(rows), extra={"action": "settle"})
    return len(rows)


def calibration_rows(told: pd.DataFrame) -> list[dict[str, Any]]:
    """Tenths of all predictions, and of each segment that holds enough; of columns segment, probability, happened."""
    parts = [(EVERYBODY, told)]
    parts += [(str(name), part) for name, part in told.groupby("segment") if name and len(part) >= LEAST_OF_SEGMENT]
    return [
        {
            "segment": segment, "decile": row.decile, "n": row.n, "mean_predicted": row.mean_predicted,
            "happened": row.happened, "low": row.low, "high": row.high,
        }
        for segment, part in parts
        for row in calibration_table(part["probability"].to_numpy(), part["happened"].to_numpy(dtype=np.float64))
    ]  # fmt: skip
