"""The connector is registered once, corrected when it differs, restarted once when it fails."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from retentioncast.core.clock import ManualClock
from retentioncast.core.errors import InvalidInput, Retry, StackError
from retentioncast.infra.connector import (
    ConnectorChange,
    ConnectorStatus,
    connector_status,
    drift,
    ensure_connector,
    render_connector,
    resnapshot,
)
from retentioncast.infra.settings import ConnectSettings, Passwords, PostgresSettings, Settings
from tests.unit.infra.fake_connect import SLOT_LOST, FakeConnect, fake_connect


@pytest.fixture
def connect() -> Iterator[FakeConnect]:
    with fake_connect() as fake:
        yield fake


def _settings(url: str, **connect: str) -> Settings:
    return Settings(connect=ConnectSettings(url=url, **connect))


def _clock() -> ManualClock:
    return ManualClock(datetime(2026, 1, 1, tzinfo=UTC))


def _ensure(fake: FakeConnect) -> ConnectorChange:
    return ensure_connector(_settings(fake.url), deadline_s=30, clock=_clock())


def test_the_first_registration_creates_the_connector(connect: FakeConnect) -> None:
    assert _ensure(connect) is ConnectorChange.CREATED
    assert connect.config == render_connector(_settings(connect.url))


def test_a_second_registration_writes_nothing(connect: FakeConnect) -> None:
    _ensure(connect)
    connect.asked.clear()

    assert _ensure(connect) is ConnectorChange.UNCHANGED
    assert all(asked.startswith("GET") for asked in connect.asked)


def test_the_name_that_connect_adds_is_no_drift(connect: FakeConnect) -> None:
    connect.config = {**render_connector(_settings(connect.url)), "name": "retentioncast"}

    assert drift(_settings(connect.url)) == []


def test_a_changed_setting_is_named_and_corrected(connect: FakeConnect) -> None:
    connect.config = {**render_connector(_settings(connect.url)), "poll.interval.ms": "500"}

    assert [str(difference) for difference in drift(_settings(connect.url))] == [
        "running config differs in poll.interval.ms: 500 instead of 10"
    ]
    assert _ensure(connect) is ConnectorChange.UPDATED
    assert drift(_settings(connect.url)) == []


def test_a_missing_and_an_extra_setting_are_drift(connect: FakeConnect) -> None:
    connect.config = {**render_connector(_settings(connect.url)), "converters": "mine"}
    del connect.config["tombstones.on.delete"]

    assert [str(difference) for difference in drift(_settings(connect.url))] == [
        "running config differs in converters: mine instead of not set",
        "running config differs in tombstones.on.delete: not set instead of false",
    ]


def test_drift_never_shows_a_password(connect: FakeConnect) -> None:
    connect.config = {**render_connector(_settings(connect.url)), "database.password": "old secret"}
    passwords = Passwords(debezium="new secret")
    settings = Settings(connect=ConnectSettings(url=connect.url), postgres=PostgresSettings(passwords=passwords))

    [difference] = drift(settings)

    assert str(difference) == "running config differs in database.password (not shown)"


def test_drift_of_a_connector_that_is_not_there_says_so(connect: FakeConnect) -> None:
    with pytest.raises(StackError, match=r"retentioncast is not registered.*retentioncast connector"):
        drift(_settings(connect.url))


def test_it_waits_until_the_task_runs(connect: FakeConnect) -> None:
    connect.states = ["UNASSIGNED", "RESTARTING", "RUNNING"]

    _ensure(connect)

    assert connect.asked.count("GET status") == 3


def test_a_failed_task_is_restarted_once(connect: FakeConnect) -> None:
    connect.states, connect.trace = ["FAILED"], "java.io.IOException: reset\n\tat x"

    _ensure(connect)

    assert [asked for asked in connect.asked if asked.startswith("POST")] == [
        "POST restart?includeTasks=true&onlyFailed=true"
    ]


def test_a_task_that_fails_again_stops_us_with_the_first_line_of_its_trace(connect: FakeConnect) -> None:
    connect.states = connect.after_restart = ["FAILED"]
    connect.trace = (
        "org.x.ConnectException: Error while x\n\tat org.x.y\nCaused by: java.io.IOException: disk full\n\tat z"
    )

    with pytest.raises(StackError) as raised:
        _ensure(connect)

    assert "org.x.ConnectException: Error while x Caused by: java.io.IOException: disk full" in str(raised.value)
    assert "\tat" not in str(raised.value)
    assert len([asked for asked in connect.asked if asked.startswith("POST")]) == 1


def test_a_lost_slot_is_said_in_plain_words(connect: FakeConnect) -> None:
    connect.states = connect.after_restart = ["FAILED"]
    connect.trace = SLOT_LOST

    with pytest.raises(StackError, match=r"slot no longer holds the changes.*re-snapshot") as raised:
        _ensure(connect)

    assert "PostgresOffsetContext" not in str(raised.value)


def test_a_task_that_never_starts_is_given_up_at_the_deadline(connect: FakeConnect) -> None:
    connect.states = ["UNASSIGNED"]

    with pytest.raises(StackError, match=r"does not run in time: it is RUNNING, its tasks UNASSIGNED"):
        _ensure(connect)


def test_a_rebalancing_worker_is_asked_again(connect: FakeConnect) -> None:
    connect.refusals = [(409, "Cannot complete request momentarily due to stale configuration")] * 3

    assert _ensure(connect) is ConnectorChange.CREATED


def test_a_refused_configuration_is_not_tried_again(connect: FakeConnect) -> None:
    connect.config = {}
    connect.refusals = [
        (400, "Connector configuration is invalid:\nFATAL: no such user\nYou can also find the above list")
    ]

    with pytest.raises(StackError, match=r"\(400\): Connector configuration is invalid: FATAL: no such user\. Correct"):
        _ensure(connect)
    assert len(connect.asked) == 1


def test_a_worker_that_does_not_answer_is_given_up_at_the_deadline() -> None:
    clock = _clock()

    with pytest.raises(Retry, match=r"http://127.0.0.1:1 does not answer.*retentioncast up"):
        ensure_connector(_settings("http://127.0.0.1:1"), deadline_s=5, clock=clock)
    assert 5 <= clock.elapsed_s < 6


def test_the_status_of_an_unregistered_connector_is_missing(connect: FakeConnect) -> None:
    status = connector_status(_settings(connect.url))

    assert (status.state, status.running, status.failed) == ("MISSING", False, False)


def test_a_running_connector_without_a_task_does_not_run() -> None:
    assert not ConnectorStatus("RUNNING").running
    assert ConnectorStatus("RUNNING", ("RUNNING",)).running
    assert not ConnectorStatus("RUNNING", ("RUNNING", "FAILED")).running


def test_a_snapshot_of_an_unknown_table_is_refused() -> None:
    with pytest.raises(InvalidInput, match=r"no table orders.*transactions"):
        resnapshot(_settings("http://127.0.0.1:1"), ["orders"])
