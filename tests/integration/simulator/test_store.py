"""The simulator on a real Postgres: in batches and after kills the shop is what one write after the other makes."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import psycopg
import pytest
from rich.console import Console

from retentioncast.core.clock import ManualClock, SystemClock
from retentioncast.core.errors import InvalidInput
from retentioncast.infra.postgres import connect
from retentioncast.infra.settings import Settings
from simulator.bootstrap import make_simulation, simulate
from simulator.options import Options
from simulator.pace import FloodPace, Pace, RatePace
from simulator.plan import Plan
from simulator.run import Simulation
from simulator.store import PostgresStore
from tests.unit.simulator.memory import NOW, Killed, MemoryShop, played

pytestmark = pytest.mark.integration
DAYS = 60
#: Columns of each table in the order of the simulator's inserts, and the table.
COLUMNS = {
    "customer": "customer_id, name, email, country, channel, created_at from shop.customers",
    "subscription": "subscription_id, customer_id, plan, billing_period, price::text, currency, started_at, "
    "cancelled_at, cancel_reason from shop.subscriptions",
    "transaction": "transaction_id, customer_id, subscription_id, kind, amount::text, currency, occurred_at, "
    "refers_to, promotion from shop.transactions",
    "session": "session_id, customer_id, started_at, pages, channel from shop.sessions",
}


def options(**changed: Any) -> Options:
    given: dict[str, Any] = {
        "customers": 500, "history": "40d", "load": "flood", "rate": None, "speed": None, "seed": 7,
        "start": NOW, "duration_s": None, "only_history": False, "live_only": False,
    }  # fmt: skip
    return Options(**given | changed)


@pytest.fixture
def connection(database: Settings) -> Iterator[psycopg.Connection]:
    with connect(database, "simulator") as opened:
        yield opened


class MortalStore(PostgresStore):
    """Dies in the middle of the n-th transaction."""

    lives = 10**9

    def _write_shop(self, writes: Any) -> int:
        rows = super()._write_shop(writes)
        self.lives -= 1
        if self.lives < 0:
            raise Killed
        return rows


def started(connection: psycopg.Connection, lives: int = 10**9) -> Simulation:
    connection.execute("select pg_advisory_unlock_all()")
    store = MortalStore(connection)
    store.lives = lives
    return make_simulation(store, options(), ManualClock(NOW), Console(quiet=True), lambda: False)


def shop_of(connection: psycopg.Connection) -> dict[str, dict[int, list[Any]]]:
    return {
        table: {row[0]: list(row) for row in connection.execute(f"select {columns}").fetchall()}
        for table, columns in COLUMNS.items()
    }


def expected(run: Simulation) -> dict[str, dict[int, list[Any]]]:
    tables = played(MemoryShop(run.planner.world.terms), FloodPace(), DAYS).tables
    times = {"customer": [5], "subscription": [6, 7], "transaction": [6], "session": [2]}
    for table, columns in times.items():
        for row in tables[table].values():
            for column in columns:
                row[column] = row[column] and datetime.fromisoformat(row[column])
    return tables


@pytest.mark.parametrize("batch", [1, 500, 20_000])
def test_batches_write_what_single_writes_would(connection: psycopg.Connection, batch: int) -> None:
    run = started(connection)
    run.run("Test", FloodPace(batch), last_tick=DAYS)
    assert shop_of(connection) == expected(run)


def test_a_simulator_killed_in_the_middle_of_transactions_goes_on(connection: psycopg.Connection) -> None:
    moments, kills, alive = random.Random(3), 0, True
    while alive:
        run = started(connection, lives=moments.choice([1, 3, 10]))
        paces: list[Pace] = [FloodPace(batch=1), RatePace(900, run.clock)]
        try:
            run.run("Test", moments.choice(paces), last_tick=DAYS)
            alive = False
        except Killed:
            kills += 1
    assert kills > 10
    assert shop_of(connection) == expected(run)


def test_a_second_start_goes_on_and_writes_no_second_past(database: Settings) -> None:
    first = simulate(options(only_history=True), database, SystemClock(), lambda: False)
    second = simulate(options(only_history=True, seed=8), database, SystemClock(), lambda: False)
    assert first.progress.rows > 1000 and second.progress.rows == 0
    assert second.planner.world.terms.seed == 7


def test_a_second_simulator_beside_the_first_is_refused(database: Settings, connection: psycopg.Connection) -> None:
    started(connection)
    with pytest.raises(InvalidInput, match="Another simulator"):
        simulate(options(), database, SystemClock(), lambda: False)


def test_somebody_elses_shop_is_left_alone(database: Settings, connection: psycopg.Connection) -> None:
    connection.execute("insert into shop.customers values (default, 'A', 'a@b.c', 'DE', 'x', now())")
    connection.commit()
    with pytest.raises(InvalidInput, match="not the simulator's") as refused:
        simulate(options(), database, SystemClock(), lambda: False)
    assert "retentioncast migrate" in refused.value.next_step
    assert connection.execute("select count(*) from truth.simulation").fetchone() == (0,)


def test_rows_inserted_by_hand_never_collide_with_the_simulators(connection: psycopg.Connection) -> None:
    run = started(connection)
    run.run("Test", FloodPace(), last_tick=20)
    row = connection.execute(
        "insert into shop.customers (name, email, country, channel, created_at) "
        "values ('A', 'a@b.c', 'DE', 'x', now()) returning customer_id"
    ).fetchone()
    assert row is not None and row[0] > 10**9
    run.run("Test", FloodPace(), last_tick=30)


def test_a_shop_that_somebody_emptied_does_not_stop_the_simulator(
    connection: psycopg.Connection, caplog: pytest.LogCaptureFixture
) -> None:
    run = started(connection)
    run.run("Test", FloodPace(), last_tick=40)
    connection.execute("truncate shop.customers, shop.subscriptions, shop.transactions, shop.sessions")
    run.run("Test", FloodPace(), last_tick=50)
    assert "leave_out" in {getattr(record, "action", "") for record in caplog.records}
    assert connection.execute("select count(*) > 0 from shop.customers").fetchone() == (True,)


def test_the_truth_follows_merges_and_the_place_is_kept(connection: psycopg.Connection) -> None:
    run = started(connection)
    run.run("Test", FloodPace(), last_tick=DAYS)
    rows = connection.execute("select customer_id, merged_into from truth.customers where merged_at is not null")
    merged: dict[int, int] = dict(rows.fetchall())
    assert merged == run.planner.world.owners and merged
    assert connection.execute("select tick, position, plan from truth.simulation").fetchone() == (DAYS, 0, None)
    found = connection.execute("select act_id from truth.agenda order by due_at, act_id").fetchall()
    assert [number for (number,) in found] == [act.number for act in sorted(run.planner.world.agenda)]


def test_a_database_without_tables_says_so(postgres: Settings) -> None:
    bare = postgres.model_copy(update={"postgres": postgres.postgres.model_copy(update={"database": "postgres"})})
    with connect(bare, "owner") as connection, pytest.raises(InvalidInput, match="no tables") as refused:
        PostgresStore(connection).load()
    assert "migrate" in refused.value.next_step


def test_an_empty_plan_moves_the_place(connection: psycopg.Connection) -> None:
    run = started(connection)
    plan = Plan(until=run.planner.world.terms.start_of(5), next_tick=5, counters={"customer": 1})
    assert run.store.write(plan, 0) == 0
    assert connection.execute("select tick from truth.simulation").fetchone() == (5,)
