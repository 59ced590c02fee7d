"""Reads snapshots from `analytics` and publishes generations to `scores`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import cast

import pandas as pd
import psycopg

from retentioncast.core.errors import NotEnoughData
from retentioncast.infra.settings import JudgingSettings
from retentioncast.infra.sql import sql
from scorer.as_of import choose_as_of
from scorer.binary_copy import Array, decode_rows
from scorer.calibration import keep_predictions, settle_predictions
from scorer.columns import CUSTOMERS, SUBSCRIPTIONS
from scorer.frames import customer_frame, data_range
from scorer.generation import Generation
from scorer.history import read_in_force, read_matured, read_purchase_days
from scorer.publishing import copy_retention, copy_scores, insert_run, write_backtest, write_models
from scorer.retention import STANDING
from scorer.ruling import Ruling
from scorer.runs import Run
from scorer.snapshot import Snapshot
from scorer.told import told

SQL = Path(__file__).parent / "sql"


@dataclass(slots=True)
class PostgresStore:
    """The store of one run. `reconnect` gives a fresh connection when the first breaks on the way; `judges_first` says
    whether a run is judged when nothing is in force yet."""

    connection: psycopg.Connection
    reconnect: Callable[[], psycopg.Connection]
    judging: JudgingSettings = field(default_factory=JudgingSettings)
    judges_first: bool = True

    def read_snapshot(self, asked: datetime | None) -> Snapshot:
        """One REPEATABLE READ transaction; see `Snapshot`.

        Raises:
            NotEnoughData: nothing has come through the stream yet.
            InvalidInput: the stream has not come to the time asked for.
            Retry: the database did not answer.
        """
        with told("read"), self.connection.transaction():
            self.connection.execute(sql("snapshot.begin", SQL))
            as_of = choose_as_of(asked, self._stream_time())
            if as_of is None:
                raise NotEnoughData(
                    "The stream has no time yet: nothing has come through.", "See `retentioncast status`."
                )
            columns = self._customer_columns(as_of)
            customers = customer_frame(columns, as_of)
            data_from, data_to = data_range(columns)
            snapshot = Snapshot(
                as_of,
                customers,
                self._subscriptions(as_of),
                data_from,
                data_to,
                read_in_force(self.connection),
                self._standing(as_of),
            )
            return self._with_history(snapshot)

    def publish(self, run: Run, generation: Generation, elapsed_s: Callable[[], float]) -> Run:
        """One transaction: the run's row and models, the old scores out, the new ones in. Retry: nothing written."""
        with told("publish"), self.connection.transaction():
            run = insert_run(self.connection, run)
            self.connection.execute(sql("publish.forget_scores", SQL))
            copy_scores(self.connection, run, generation.scores)
            write_models(self.connection, run, generation)
            copy_retention(self.connection, run, generation.retention)
            write_backtest(self.connection, run, generation.ruling)
            self._look_back(run, generation)
            run = replace(run, duration_s=elapsed_s())
            fields = {"duration_s": run.duration_s, "run_id": run.run_id}
            self.connection.execute(sql("publish.finish_run", SQL), fields)
        return run

    def record(self, run: Run, ruling: Ruling | None = None) -> Run:
        """Write the row of a run that was not published, over a fresh connection where the first is broken."""
        if self.connection.closed or self.connection.broken:
            with self.reconnect() as connection, told("record"):
                return _record(connection, run, ruling)
        with told("record"):
            return _record(self.connection, run, ruling)

    def judges_next(self) -> bool:
        """After a run that failed unjudged, with nothing in force: the next is judged, and may choose another family.

        The first run takes one family, to be quick. Where that cannot be fitted there would never be a first score.
        """
        if not self.judging.enabled or self.judges_first or self.connection.closed:
            return False
        self.judges_first = read_in_force(self.connection) is None
        return self.judges_first

    def _with_history(self, snapshot: Snapshot) -> Snapshot:
        """The snapshot with what a refit is judged by, where this run is."""
        if not self.judging.enabled or (snapshot.in_force is None and not self.judges_first):
            return snapshot
        log = read_purchase_days(self.connection, snapshot.as_of, len(snapshot.customers), self.judging)
        return replace(snapshot, purchase_days=log, matured=read_matured(self.connection, snapshot.as_of))

    def _look_back(self, run: Run, generation: Generation) -> None:
        """Earlier predictions against what happened since, and this run's kept for later."""
        assert run.run_id is not None and run.as_of is not None
        if not self.judging.enabled:
            return
        settle_predictions(self.connection, run.as_of)
        told = (generation.scores, generation.uncalibrated)
        keep_predictions(self.connection, run.run_id, run.as_of, *told, self.judging)

    def add_note(self, run: Run, note: str) -> Run:
        """Say one thing more in the reason of a run that is written already."""
        reason = f"{run.reason} {note}"
        with told("note"), self.connection.transaction():
            self.connection.execute(sql("publish.add_note", SQL), {"run_id": run.run_id, "reason": reason})
        return replace(run, reason=reason)

    def _stream_time(self) -> datetime | None:
        row = self.connection.execute(sql("snapshot.stream_time", SQL)).fetchone()
        return cast("datetime | None", row[0]) if row else None

    def _customer_columns(self, as_of: datetime) -> dict[str, Array]:
        with self.connection.cursor().copy(sql("snapshot.customers", SQL), {"as_of": as_of}) as copy:
            return decode_rows(map(bytes, copy), CUSTOMERS)

    def _subscriptions(self, as_of: datetime) -> pd.DataFrame:
        rows = self.connection.execute(sql("snapshot.subscriptions", SQL), {"as_of": as_of}).fetchall()
        return pd.DataFrame(rows, columns=SUBSCRIPTIONS)

    def _standing(self, as_of: datetime) -> pd.DataFrame:
        rows = self.connection.execute(sql("retention.standing", SQL), {"as_of": as_of}).fetchall()
        return pd.DataFrame(rows, columns=STANDING)


def count_purchases(connection: psycopg.Connection) -> None:
    """Bring `scores.customer_purchases` up to date: all customers at the first run, then those that changed."""
    with told("count purchases"), connection.transaction():
        connection.execute(sql("purchases.count", SQL))
        connection.execute(sql("purchases.forget", SQL))


def read_growth(connection: psycopg.Connection, limit: int) -> tuple[int, int]:
    """Customers with an order (counted up to the limit), and how many changes were applied so far."""
    row = connection.execute(sql("snapshot.growth", SQL), {"limit": limit}).fetchone()
    return (int(row[0]), int(row[1])) if row else (0, 0)


def _record(connection: psycopg.Connection, run: Run, ruling: Ruling | None) -> Run:
    with connection.transaction():
        run = insert_run(connection, run)
        if ruling is not None:
            write_backtest(connection, run, ruling)
    return run
