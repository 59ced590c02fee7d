"""Reads customers with their segments, and replaces the values of all of them or none."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psycopg
from psycopg.types.json import Jsonb

from retentioncast.core.errors import NotEnoughData
from retentioncast.infra.settings import SegmentsSettings
from retentioncast.infra.sql import sql
from retentioncast.models.clv.segment_value import INTERVALS, VALUES, Valued
from scorer.binary_copy import decode_rows
from scorer.columns import CUSTOMERS
from scorer.frames import customer_frame, data_range
from scorer.runs import Run
from scorer.store import SQL as SCORES_SQL
from scorer.told import told

SQL = Path(__file__).parent / "sql"
#: A customer of whom the mirror knows no segment.
UNKNOWN = "unknown"
Population = dict[str, dict[str, list[float]]]


@dataclass(frozen=True, slots=True, eq=False)
class SegmentSnapshot:
    """Customers who bought, indexed by customer_id: frequency, recency, T (weeks), monetary_value, segment. `before`:
    where the last refit's population lay, by part."""

    as_of: datetime
    customers: pd.DataFrame
    data_from: datetime | None
    data_to: datetime | None
    before: Population | None


@dataclass(frozen=True, slots=True)
class SegmentStore:
    """The store of one refit."""

    connection: psycopg.Connection

    def read(self, by: SegmentsSettings) -> SegmentSnapshot:
        """One REPEATABLE READ transaction. Raises NotEnoughData before the stream has a time."""
        with _told("read"), self.connection.transaction():
            self.connection.execute(sql("snapshot.begin", SCORES_SQL))
            row = self.connection.execute(sql("snapshot.stream_time", SCORES_SQL)).fetchone()
            if row is None or row[0] is None:
                raise NotEnoughData("The stream has no time yet.", "See `retentioncast status`.")
            as_of: datetime = row[0]
            with self.connection.cursor().copy(sql("snapshot.customers", SCORES_SQL), {"as_of": as_of}) as copy:
                columns = decode_rows(map(bytes, copy), CUSTOMERS)
            fields = {"as_of": as_of}
            segments: dict[int, str] = dict(
                self.connection.execute(sql(f"segments.by_{by.by}", SQL), fields).fetchall()
            )
            before = self.connection.execute(sql("segments.last_population", SQL), {"by": by.by}).fetchone()
        customers = customer_frame(columns, as_of)
        bought = customers[customers["frequency"].notna()].drop(columns="days_since_order")
        bought["segment"] = [segments.get(customer, UNKNOWN) for customer in bought.index]
        bought.attrs["time_unit"] = "week"
        return SegmentSnapshot(as_of, bought, *data_range(columns), before[0] if before else None)

    def publish(self, run: Run, valued: Valued, elapsed_s: Callable[[], float]) -> Run:
        """One transaction: the run's row, the old values out, the new ones in."""
        with _told("publish"), self.connection.transaction():
            run = _insert(self.connection, run)
            for name in ("forget_customers", "forget_segments"):
                self.connection.execute(sql(f"segments.{name}", SQL))
            self._copy("copy_customers", _customer_rows(valued.customers, run), VALUES)
            self._copy("copy_segments", _segment_rows(valued.segments, run), ("residual_value", *INTERVALS))
            run = replace(run, duration_s=elapsed_s())
            fields = {"duration_s": run.duration_s, "run_id": run.run_id}
            self.connection.execute(sql("segments.finish_run", SQL), fields)
        return run

    def record(self, run: Run) -> Run:
        """The row of a refit that was not published: it says why."""
        with _told("record"):
            return _insert(self.connection, run)

    def _copy(self, name: str, rows: Iterator[tuple[Any, ...]], columns: tuple[str, ...]) -> None:
        statement = sql(f"segments.{name}", SQL).replace("{columns}", ", ".join(columns))
        with self.connection.cursor().copy(statement) as copy:
            for row in rows:
                copy.write_row(row)


def _told(what: str) -> AbstractContextManager[None]:
    return told(what, "segment values", "The next refit tries again.")


def _insert(connection: psycopg.Connection, run: Run) -> Run:
    fields = {**asdict(run), "parameters": None if run.parameters is None else Jsonb(run.parameters)}
    row = connection.execute(sql("segments.record_run", SQL), fields).fetchone()
    return replace(run, run_id=int(row[0]) if row else None)


def _customer_rows(customers: pd.DataFrame, run: Run) -> Iterator[tuple[Any, ...]]:
    values = _nullable(customers[list(VALUES)])
    labels = zip(customers.index.tolist(), customers["segment"], customers["basis"], strict=True)
    for label, numbers in zip(labels, values, strict=True):
        yield (*label, *numbers, run.as_of, run.run_id)


def _segment_rows(segments: pd.DataFrame, run: Run) -> Iterator[tuple[Any, ...]]:
    values = _nullable(segments[["residual_value", *INTERVALS, "new_customer_value"]])
    labels = zip(segments.index, segments["basis"], segments["customers"].astype(int).tolist(), strict=True)
    for label, numbers in zip(labels, values, strict=True):
        yield (*label, *numbers, run.as_of, run.run_id)


def _nullable(values: pd.DataFrame) -> Iterator[list[float | None]]:
    """Rows of plain numbers; NaN is null."""
    for row in values.to_numpy(dtype=np.float64).tolist():
        yield [None if math.isnan(value) else value for value in row]
