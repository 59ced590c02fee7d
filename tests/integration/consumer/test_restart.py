"""A consumer that is killed and restarted, over and over, ends bit for bit where one that ran through ends."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from consumer.ahead import Stager
from consumer.bootstrap import make_connector
from consumer.decode import decoders
from consumer.events import Span
from consumer.loop import Loop
from consumer.online import OnlineModels, load_model
from consumer.positions import Range, starting_offsets
from consumer.reader import Reader
from consumer.writer import Writer
from retentioncast.core.clock import SystemClock
from retentioncast.core.shop import ROLES, ShopNames
from retentioncast.infra.postgres import connect
from retentioncast.infra.settings import Settings
from retentioncast.models.online import OnlineConfig
from tests.fake_kafka import FakeSource
from tests.stream import PREFIX, FakeMessage, message, transaction_row

pytestmark = pytest.mark.integration
PARTITIONS = 2
PLACES = [(f"{PREFIX}.shop.{role}", partition) for role in ROLES for partition in range(PARTITIONS)]


def history(count: int = 1500) -> list[FakeMessage]:
    """Orders and sessions of 40 customers over a year, in one stream, as Debezium would spread it."""
    chance = random.Random(7)
    offsets = dict.fromkeys(PLACES, 0)
    messages = []
    for number in range(count):
        customer, day = chance.randrange(40), 365 * number / count
        table = chance.choice(["transactions", "sessions", "sessions"])
        row: dict[str, Any] = transaction_row(number, customer, day=day)
        if table == "sessions":
            row = {"session_id": number, "customer_id": customer, "pages": 3, "channel": "web"}
            row["started_at"] = transaction_row(0, 0, day=day)["occurred_at"]
        place = (f"{PREFIX}.shop.{table}", customer % PARTITIONS)
        messages.append(message(table, "c", number, row, 1000 + number, place[1], offsets[place]))
        offsets[place] += 1
    return messages


class Told:
    """Hears of each commit, where the reader would tell Kafka."""

    def __init__(self, hear: Callable[[Any], None]) -> None:
        self.put = hear

    def empty(self) -> bool:
        return True


def make_loop(settings: Settings, source: FakeSource, die_after_batches: int | None) -> Loop:
    online = OnlineModels(OnlineConfig(), {})

    def starts(places: list[tuple[str, int]]) -> dict[tuple[str, int], int]:
        with connect(settings, "consumer", autocommit=True) as connection:
            found = starting_offsets(connection, places, lambda place: Range(0, 10**6, "id"))
            committed.update({place: offset for place, offset in found.items() if offset})
            online.models = {n: load_model(connection, n, online.config) for n in range(PARTITIONS)}
        return found

    reader = Reader(source, decoders(ShopNames(), PREFIX), starts, 200, 2, ordered=True, clock=SystemClock())
    committed: dict[tuple[str, int], int] = {}

    def stop_when_done() -> None:
        if reader.batches.empty() and committed == source.ends():
            reader.stop()

    source.on_idle = stop_when_done
    writer = Writer(make_connector(settings, SystemClock()), online, SystemClock(), 10.0)
    left = [die_after_batches]

    def on_commit(spans: dict[tuple[str, int], Span]) -> None:
        committed.update({place: span.next for place, span in spans.items()})
        if left[0] is not None:
            left[0] -= 1
            if left[0] == 0:
                raise KeyboardInterrupt

    stager = Stager(make_connector(settings, SystemClock()))
    loop = Loop(reader, writer, stager, SystemClock())
    loop.reader.told = Told(on_commit)  # type: ignore[assignment]
    return loop


def run(settings: Settings, seed: int, die_after_batches: int | None) -> None:
    source = FakeSource(history(), PLACES, seed)
    loop = make_loop(settings, source, die_after_batches)
    loop.reader.start()
    try:
        loop.run()
    except KeyboardInterrupt:
        loop.reader.stop()
    finally:
        while not loop.reader.batches.empty():
            loop.reader.batches.get_nowait()
            loop.reader.batches.task_done()
        if loop.writer.connection is not None:
            loop.writer.connection.close()


def outcome(settings: Settings) -> list[Any]:
    with connect(settings, "reader") as connection:
        return [
            connection.execute(query).fetchall()
            for query in (
                "select customer_id, no_order_30d::text, as_of from analytics.online_scores order by 1",
                "select customer_id, state::text from analytics.online_customers order by 1",
                "select partition, state::text from analytics.online_models order by 1",
                "select partition, matured, log_loss::text from analytics.online_metrics order by 1, 2",
                "select * from analytics.customer_rfm order by 1",
            )
        ]


@pytest.fixture
def two_databases(database: Settings, another_database: Settings) -> tuple[Settings, Settings]:
    return database, another_database


@pytest.fixture(params=[1000, 5], ids=["as JSON", "by COPY, ahead"])
def most_as_json(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("consumer.staging.MOST_AS_JSON", request.param)
    monkeypatch.setattr("consumer.ahead.MOST_AS_JSON", request.param)


@pytest.mark.usefixtures("most_as_json")
def test_killed_at_random_points_is_the_same_as_never_killed(two_databases: tuple[Settings, Settings]) -> None:
    through, broken = two_databases
    run(through, seed=1, die_after_batches=None)
    for seed in range(2, 12):
        run(broken, seed, die_after_batches=1 + seed % 3)
    run(broken, seed=50, die_after_batches=None)
    expected, found = outcome(through), outcome(broken)
    assert len(expected[0]) == 40
    assert expected[3]
    assert found == expected


def test_everything_is_applied_once(database: Settings) -> None:
    run(database, seed=3, die_after_batches=None)
    with connect(database, "reader") as connection:
        counts = connection.execute("select count(*) from analytics.transactions").fetchone()
        sessions = connection.execute("select count(*) from analytics.sessions").fetchone()
    assert counts is not None and sessions is not None
    assert counts[0] + sessions[0] == 1500


@pytest.mark.usefixtures("most_as_json")
def test_a_broken_connection_is_renewed_and_nothing_is_lost(database: Settings) -> None:
    source = FakeSource(history(), PLACES, 4)
    loop = make_loop(database, source, None)
    once = [True]
    original = loop.reader.told.put

    def cut(spans: Any) -> None:
        original(spans)
        if once.pop() if once else False:
            with connect(database, "owner", autocommit=True) as owner:
                owner.execute(
                    "select pg_terminate_backend(pid) from pg_stat_activity "
                    "where usename like '%consumer' and datname = current_database()"
                )

    loop.reader.told.put = cut  # type: ignore[method-assign, assignment]
    loop.reader.start()
    loop.run()
    with connect(database, "reader") as connection:
        row = connection.execute("select sum(next_offset) from analytics.offsets").fetchone()
    assert row == (1500,)
    assert isinstance(loop.writer.connection, psycopg.Connection)
    loop.writer.connection.close()
