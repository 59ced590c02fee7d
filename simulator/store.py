"""The simulator's only door to Postgres: the shop's rows, the truth and the place in the plan, in one transaction."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg

from retentioncast.core.errors import InvalidInput, Retry
from retentioncast.infra.sql import sql
from simulator import plan as kinds
from simulator.plan import Act, Counters, Plan, Truth, Write
from simulator.rhythm import stamp, to_micros
from simulator.world import Terms

logger = logging.getLogger(__name__)

_FOLDER = Path(__file__).parent / "sql"
_INSERTS = (kinds.CUSTOMER, kinds.SUBSCRIPTION, kinds.TRANSACTION, kinds.SESSION)
_UPDATES = (kinds.CHANGE_PLAN, kinds.CANCEL, kinds.CORRECT_AMOUNT, kinds.CORRECT_TIME, kinds.CHANGE_EMAIL)
_REKEYS = ("rekey_subscriptions", "rekey_transactions", "rekey_sessions")
#: Fields of Truth and Act that are times.
_TRUTH_TIMES, _ACT_TIMES = {2, 3, 11}, {0, 9, 10}


@dataclass(frozen=True, slots=True)
class Saved:
    """A simulation as it was left: `unfinished` holds the writes that were planned and are not yet written."""

    terms: Terms
    tick: int
    counters: Counters
    people: list[Truth]
    agenda: list[Act]
    owners: dict[int, int]
    #: The last planned ticks, if not all of their writes were written.
    unfinished: Plan | None


class PostgresStore:
    """Shop and truth in Postgres. One simulator at a time: a second one is refused."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self.connection = connection
        self._check_alone()

    def load(self) -> Saved | None:
        """The simulation that this database holds, if there is one."""
        with self.connection.transaction():
            row = self._simulation()
            if row is None:
                return None
            seed, settings, tick, counters, plan, position = row
            terms = Terms(seed=seed, **settings)
            return Saved(
                terms, tick, Counters(**counters), self._people(terms.start_of(tick)), self._agenda(),
                dict(self._run("truth.merged").fetchall()), _unfinished(plan, position, terms, tick),
            )  # fmt: skip

    def begin(self, terms: Terms) -> None:
        """Open a simulation in an empty shop; InvalidInput when the shop has customers of somebody else."""
        with self.connection.transaction():
            found = self._run("shop.anybody").fetchone()
            if found is not None and found[0]:
                raise InvalidInput(
                    "The shop already has customers, and they are not the simulator's.",
                    "Simulate into an empty database: set RETENTIONCAST_POSTGRES__DATABASE to a new one and run "
                    "`retentioncast migrate`.",
                )
            self._run("shop.leave_numbers")
            settings = asdict(terms)
            seed = settings.pop("seed")
            begun = (seed, json.dumps(settings), stamp(terms.origin), json.dumps(asdict(Counters())))
            self._run("truth.begin", begun)

    def write(self, plan: Plan, count: int) -> int:
        """Write the plan's next `count` writes in one transaction; the number of rows of the shop that changed.

        Rows whose customer or order somebody else has removed are left out, with a warning.
        Raises Retry when the database went away: nothing of the transaction is written.
        """
        try:
            try:
                rows = self._commit(plan, count, self._write_shop)
            except psycopg.IntegrityError:
                rows = self._commit(plan, count, self._write_what_fits)
        except psycopg.OperationalError as error:
            raise Retry(
                f"Postgres gave up on the simulator: {str(error).strip()}.",
                "Start it again (`retentioncast start simulator`); it goes on where it stood.",
            ) from error
        plan.position = min(plan.position + count, len(plan.writes))
        return rows

    def _commit(self, plan: Plan, count: int, write: Callable[[Sequence[Write]], int]) -> int:
        writes = plan.writes[plan.position : plan.position + count]
        position = plan.position + len(writes)
        finished = position == len(plan.writes)
        with self.connection.transaction():
            if plan.position == 0:
                self._write_truth(plan, None if finished else json.dumps(plan.writes))
            rows = write(writes)
            event_time = plan.until if finished else writes[-1].at
            self._run("truth.advance", (stamp(event_time), 0 if finished else position, finished))
        return rows

    def _simulation(self) -> tuple[Any, ...] | None:
        try:
            row: tuple[Any, ...] | None = self._run("truth.simulation").fetchone()
        except psycopg.errors.UndefinedTable as error:
            raise InvalidInput(
                "This database has no tables for the simulator yet.", "Run `retentioncast migrate`."
            ) from error
        return row

    def _check_alone(self) -> None:
        try:
            with self.connection.transaction():
                self._run("shop.lock_patience")
                self._run("shop.lock")
        except psycopg.errors.LockNotAvailable as error:
            raise InvalidInput(
                "Another simulator is already at work on this database.",
                "Stop it first: `retentioncast stop simulator`.",
            ) from error

    def _write_truth(self, plan: Plan, packed: str | None) -> None:
        self._copy("truth.add_customers", (_stamped(truth, _TRUTH_TIMES) for truth in plan.newcomers))
        self._copy("truth.add_acts", (_stamped(act, _ACT_TIMES) for act in plan.added.values()))
        if plan.done:
            self._run("truth.finish_acts", (plan.done,))
        if plan.merged:
            merged, surviving, at = zip(*plan.merged, strict=True)
            self._run("truth.merge_customers", (list(merged), list(surviving), [stamp(each) for each in at]))
        self._run("truth.start_plan", (plan.next_tick, json.dumps(plan.counters), packed))

    def _write_shop(self, writes: Sequence[Write]) -> int:
        """Inserts with parents first, then changes, then what disappears: the end is that of one by one."""
        by_kind: dict[str, list[tuple[Any, ...]]] = {}
        for write in writes:
            by_kind.setdefault(write.kind, []).append(write.row)
        rows = sum(self._copy(f"shop.{kind}", by_kind.get(kind, ())) for kind in _INSERTS)
        rows += sum(self._set(f"shop.{kind}", by_kind[kind]) for kind in _UPDATES if kind in by_kind)
        if kinds.DELETE_ORDER in by_kind:
            rows += self._set("shop.delete_order", by_kind[kinds.DELETE_ORDER])
        if kinds.MERGE in by_kind:
            rows += sum(self._set(f"shop.{name}", by_kind[kinds.MERGE]) for name in _REKEYS)
            rows += self._set("shop.delete_customers", [row[:1] for row in by_kind[kinds.MERGE]])
        return rows

    def _write_what_fits(self, writes: Sequence[Write]) -> int:
        """One by one, without those whose parents are gone."""
        rows = left_out = 0
        for write in writes:
            try:
                with self.connection.transaction():
                    rows += self._write_shop([write])
            except psycopg.IntegrityError:
                left_out += 1
        logger.warning(
            "%s writes were left out: what they refer to was removed by somebody else.", left_out,
            extra={"action": "leave_out", "left_out": left_out},
        )  # fmt: skip
        return rows

    def _copy(self, name: str, rows: Iterable[Sequence[Any]]) -> int:
        lines = ["\t".join("\\N" if value is None else str(value) for value in row) for row in rows]
        if lines:
            with self.connection.cursor() as cursor, cursor.copy(sql(name, _FOLDER)) as copy:
                copy.write("\n".join(lines) + "\n")
        return len(lines)

    def _set(self, name: str, rows: list[tuple[Any, ...]]) -> int:
        """Change rows by key; of several changes of one row in a batch the last one holds."""
        latest = {row[0]: row for row in rows}
        columns = [list(column) for column in zip(*latest.values(), strict=True)]
        return self._run(name, columns).rowcount

    def _people(self, now: int) -> list[Truth]:
        rows = self._run("truth.alive", (stamp(now),)).fetchall()
        return [Truth(*_micros(row)) for row in rows]

    def _agenda(self) -> list[Act]:
        return [Act(*_micros(row)) for row in self._run("truth.agenda").fetchall()]

    def _run(self, name: str, parameters: Sequence[Any] | None = None) -> psycopg.Cursor[Any]:
        return self.connection.execute(sql(name, _FOLDER), parameters)


def _stamped(row: Sequence[Any], times: set[int]) -> list[Any]:
    return [stamp(v) if i in times and v is not None else v for i, v in enumerate(row)]


def _micros(row: Iterable[Any]) -> list[Any]:
    return [to_micros(value) if isinstance(value, datetime) else value for value in row]


def _unfinished(packed: list[list[Any]] | None, position: int, terms: Terms, tick: int) -> Plan | None:
    if packed is None:
        return None
    writes = [Write(at, kind, tuple(row)) for at, kind, row in packed]
    return Plan(writes, position, until=terms.start_of(tick), next_tick=tick)
