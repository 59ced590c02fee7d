"""Scorers take turns: who waits is told for whom, is next, and can be stopped."""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime

import psycopg
import pytest

from retentioncast.core.clock import Clock, ManualClock, SystemClock
from retentioncast.core.errors import Retry
from retentioncast.infra.postgres import connect
from retentioncast.infra.settings import Settings
from retentioncast.stack.waiting import wait_until_empty
from scorer.bootstrap import make_loop, score_once
from scorer.runs import Stopped
from scorer.turn import PATIENCE_S, TELL_S, alone

LOCKS = "select count(*) from pg_locks where locktype = 'advisory' and objid in (731902, 731904)"


@dataclass
class Scorers:
    """Sessions of several scorers on one database, and their clock, which sleeping moves."""

    settings: Settings
    clock: Clock

    def connect(self, name: str = "retentioncast-scorer") -> psycopg.Connection:
        return connect(self.settings, "scorer", autocommit=True, application_name=name)

    def turn(self, connection: psycopg.Connection) -> AbstractContextManager[None]:
        return alone(connection, self.clock)

    def locks(self) -> int:
        with connect(self.settings, "owner") as connection:
            row = connection.execute(LOCKS).fetchone()
        assert row is not None
        return int(row[0])


@pytest.fixture
def scorers(database: Settings, caplog: pytest.LogCaptureFixture) -> Scorers:
    caplog.set_level(logging.INFO, logger="scorer.turn")
    return Scorers(database, ManualClock(datetime(2026, 6, 1, tzinfo=UTC)))


@pytest.fixture
def busy(scorers: Scorers) -> Iterator[psycopg.Connection]:
    """The service is at work."""
    with scorers.connect() as connection, scorers.turn(connection):
        yield connection


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Processes that run tests beside others ignore Ctrl-C."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_one_after_the_other_leaves_no_lock(scorers: Scorers) -> None:
    with scorers.connect() as one, scorers.connect() as other:
        for connection in (one, other, one):
            with scorers.turn(connection):
                assert scorers.locks() == 1
        assert scorers.locks() == 0


def test_who_waits_is_told_every_ten_seconds_for_whom_and_gives_up_after_a_quarter_of_an_hour(
    scorers: Scorers, busy: psycopg.Connection, caplog: pytest.LogCaptureFixture
) -> None:
    with (
        scorers.connect() as other,
        pytest.raises(Retry, match=r"kept at work for 900 s: retentioncast-scorer, session \d+"),
        scorers.turn(other),
    ):
        pytest.fail("both are at work")
    told = [record.getMessage() for record in caplog.records]
    assert len(told) == PATIENCE_S / TELL_S
    session = busy.info.backend_pid
    assert told[0].startswith(
        f"Another scorer is at work: retentioncast-scorer, session {session} of Postgres, connected since 20"
    )
    assert "UTC (" in told[0] and told[1].endswith("(for 10 s so far).")
    assert scorers.locks() == 1, "who gave up is not next any more"


def test_who_comes_back_at_once_does_not_overtake_who_waits(scorers: Scorers) -> None:
    """A service whose refits take longer than its period asks for the next turn the moment that it ends one."""
    scorers.clock = SystemClock()
    order: list[str] = []

    def one_turn(name: str) -> None:
        with scorers.connect() as connection, scorers.turn(connection):
            order.append(name)

    with scorers.connect() as service, ThreadPoolExecutor(1) as pool:
        with scorers.turn(service):
            order.append("service")
            by_hand = pool.submit(one_turn, "by hand")
            await_locks(scorers, 2)
        with scorers.turn(service):
            order.append("service")
        by_hand.result()
    assert order == ["service", "by hand", "service"]


def test_a_service_that_is_to_stop_waits_no_longer(scorers: Scorers, busy: psycopg.Connection) -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(Stopped):
        make_loop(scorers.settings, stop, scorers.clock).score()
    assert scorers.locks() == 1


def test_ctrl_c_ends_the_waiting(scorers: Scorers, busy: psycopg.Connection, interruptible: None) -> None:
    def interrupt() -> None:
        await_locks(scorers, 2)
        os.kill(os.getpid(), signal.SIGINT)

    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(interrupt)
        with pytest.raises(KeyboardInterrupt):
            score_once(scorers.settings)
        done.result()
    await_locks(scorers, 1)


def test_ctrl_c_in_the_middle_of_a_statement_gives_the_turn_back(scorers: Scorers) -> None:
    def interrupted() -> None:
        with scorers.connect() as connection, scorers.turn(connection):
            connection.pgconn.send_query(b"select pg_sleep(600)")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    await_locks(scorers, 0)


def await_locks(scorers: Scorers, number: int) -> None:
    def different() -> str:
        found = scorers.locks()
        return "" if found == number else f"{found} locks, not {number}"

    assert wait_until_empty(different, 60.0) == ""
