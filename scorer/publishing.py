"""Writes a run and its generation to `scores`, in the caller's transaction."""

from __future__ import annotations

import math
from dataclasses import asdict, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psycopg
from psycopg.types.json import Jsonb

from retentioncast.infra.sql import sql
from retentioncast.models.judging.recalibration import Curve
from scorer.binary_copy import Array, encode_rows, microseconds
from scorer.columns import SCORES
from scorer.generation import Generation
from scorer.leaving import write_curves
from scorer.part import Member
from scorer.ruling import Ruling
from scorer.runs import Run

SQL = Path(__file__).parent / "sql"
#: As judging.copy_backtests has them.
MEASURES = ("n", "log_score", "brier", "calibration_error", "rmse", "bias", "deviance")
_UNIX = datetime(1970, 1, 1, tzinfo=UTC)


def insert_run(connection: psycopg.Connection, run: Run) -> Run:
    """Write the row of a run; the run with its number."""
    fields = {**asdict(run), "parameters": None if run.parameters is None else Jsonb(run.parameters)}
    row = connection.execute(sql("publish.record_run", SQL), fields).fetchone()
    return replace(run, run_id=int(row[0]) if row else None)


def copy_scores(connection: psycopg.Connection, run: Run, scores: pd.DataFrame) -> None:
    """All customers' scores, in Postgres's binary form."""
    assert run.as_of is not None and run.run_id is not None
    columns: dict[str, Array] = {name: _values(scores, name) for name in SCORES}
    columns["customer_id"] = scores.index.to_numpy(dtype=np.int64)
    columns["as_of"] = np.full(len(scores), microseconds(run.as_of))
    columns["run_id"] = np.full(len(scores), run.run_id)
    statement = sql("publish.copy_scores", SQL).replace("{columns}", ", ".join(SCORES))
    with connection.cursor().copy(statement) as copy:
        for piece in encode_rows(columns, SCORES):
            copy.write(piece)


def write_models(connection: psycopg.Connection, run: Run, generation: Generation) -> None:
    """The stack that `scores.risk_now` predicts with, its curves and its recalibration."""
    for number, member in enumerate(generation.members):
        fields = {"run_id": run.run_id, "member": number, **_as_row(member)}
        connection.execute(sql("publish.write_member", SQL), fields)
    assert run.run_id is not None
    write_curves(connection, run.run_id, generation.leaving)
    if generation.recalibration is not None:
        fields = {"run_id": run.run_id, **_as_row(generation.recalibration)}
        connection.execute(sql("publish.write_recalibration", SQL), fields)


def copy_retention(connection: psycopg.Connection, run: Run, forecast: pd.DataFrame) -> None:
    """The cells of the retention triangle that nobody has lived yet, in place of the last run's."""
    connection.execute(sql("retention.forget", SQL))
    with connection.cursor().copy(sql("retention.copy", SQL)) as copy:
        for row in forecast.itertuples(index=False):
            copy.write_row((run.run_id, *row))


def write_backtest(connection: psycopg.Connection, run: Run, ruling: Ruling) -> None:
    """What each candidate was worth at each origin, by tenth too; the oldest runs' are forgotten."""
    keys = [(run.run_id, _day(score.origin), score.horizon_days, score.contender) for score in ruling.scores]
    with connection.cursor() as cursor, cursor.copy(sql("judging.copy_backtests", SQL)) as copy:
        for key, score in zip(keys, ruling.scores, strict=True):
            copy.write_row((*key, *(_nullable(getattr(score.measures, name)) for name in MEASURES)))
    with connection.cursor() as cursor, cursor.copy(sql("judging.copy_deciles", SQL)) as copy:
        for key, score in zip(keys, ruling.scores, strict=True):
            for tenth in score.measures.deciles:
                copy.write_row((*key, tenth.decile, tenth.n, tenth.mean_predicted, tenth.happened))
    if keys:
        connection.execute(sql("judging.forget_backtests", SQL), {"run_id": run.run_id})


def _day(since_1970: int) -> date:
    return (_UNIX + timedelta(days=since_1970)).date()


def _nullable(measure: float) -> float | None:
    return measure if math.isfinite(measure) else None


def _as_row(model: Member | Curve) -> dict[str, Any]:
    return {**asdict(model), "parameters": Jsonb(model.parameters)}


def _values(scores: pd.DataFrame, name: str) -> Array:
    return scores[name].to_numpy(dtype=np.float64) if name in scores else np.full(len(scores), np.nan)
