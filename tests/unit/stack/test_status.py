"""The lag is what waits in the topics, and how old the oldest waiting position is."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from retentioncast.core.errors import InvalidInput, StackError
from retentioncast.infra.connector import ConnectorStatus
from retentioncast.infra.settings import Settings, StackSettings
from retentioncast.stack import status
from retentioncast.stack.log_lines import follow_logs, last_lines
from retentioncast.stack.native import NativeStack
from retentioncast.stack.part import PartStatus
from retentioncast.stack.progress import quiet
from retentioncast.stack.status import Lag, Status, describe_connector, describe_stack, measure_lag, to_json
from retentioncast.stack.up import Wanted, choose_kind


def _applied(partition: int, next_offset: int, age_s: float) -> dict[str, object]:
    return {"topic": "t", "partition": partition, "next_offset": next_offset, "age_s": age_s}


def test_events_that_wait_are_counted_over_all_partitions() -> None:
    ends = {("t", 0): 10, ("t", 1): 5, ("t", 2): 3}
    assert measure_lag(ends, [_applied(0, 7, 2.0), _applied(1, 5, 900.0)]) == Lag(events=6, seconds=2.0)


def test_nothing_waiting_is_no_lag_however_long_ago_the_last_event_was() -> None:
    assert measure_lag({("t", 0): 10}, [_applied(0, 10, 900.0)]) == Lag(events=0, seconds=0.0)


def test_a_kafka_that_does_not_answer_leaves_the_lag_unknown() -> None:
    assert measure_lag({}, [_applied(0, 10, 1.0)]) == Lag(events=None, seconds=None)


@pytest.mark.parametrize(("state", "lag"), [("stopped", Lag()), ("running", Lag(10, 0.0))])
def test_a_kafka_that_is_stopped_is_not_asked(
    state: str, lag: Lag, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Described(NativeStack):
        def parts(self) -> list[PartStatus]:
            return [PartStatus("postgres", "running"), PartStatus("kafka", state)]

    monkeypatch.setattr(status, "rows", lambda *_, **__: [])
    monkeypatch.setattr(status, "describe_connector", lambda _: "running")
    monkeypatch.setattr(status, "end_offsets", lambda _: {("t", 0): 10})
    settings = Settings(home=tmp_path)
    assert describe_stack(Described(settings, quiet()), settings).lag == lag


def test_machines_get_parts_with_name_state_and_pid_and_three_endpoints() -> None:
    part = PartStatus("kafka", "running", 7, datetime(2026, 1, 1, tzinfo=UTC))
    endpoints = {"postgres": "127.0.0.1:1", "kafka": "127.0.0.1:2", "connect": "http://127.0.0.1:3"}
    read = json.loads(to_json(Status("/h", "native", [part], endpoints, "running", Lag(), None, None, None)))
    assert {key: read["parts"][0][key] for key in ("name", "state", "pid")} == {
        "name": "kafka",
        "state": "running",
        "pid": 7,
    }
    assert read["endpoints"] == endpoints


def test_the_end_of_a_log_is_shown_with_the_parts_name_when_there_are_several(tmp_path: Path) -> None:
    files = {name: tmp_path / name for name in ("kafka", "scorer")}
    for name, file in files.items():
        file.write_text(f"{name} 1\n{name} 2\n{name} 3\n", encoding="utf-8")
    assert last_lines(files["kafka"], 2) == ["kafka 2", "kafka 3"]
    assert list(follow_logs(files, 1, follow=False)) == ["kafka | kafka 3", "scorer | scorer 3"]


def test_new_lines_are_followed_across_a_rotation(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("old\n", encoding="utf-8")
    lines = follow_logs({"kafka": log}, 1, follow=True)
    assert next(lines) == "old"
    log.rename(tmp_path / "log.1")
    log.write_text("new\n", encoding="utf-8")
    assert next(lines) == "new"


@pytest.fixture
def _no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("retentioncast.stack.up.engine_missing", lambda: "no container engine answers")


@pytest.mark.usefixtures("_no_engine")
def test_without_an_engine_the_stack_is_native_unless_containers_are_demanded(tmp_path: Path) -> None:
    assert choose_kind(Wanted(), Settings(home=tmp_path)) == "native"
    with pytest.raises(StackError, match="no container engine answers"):
        choose_kind(Wanted(docker=True), Settings(home=tmp_path))


def test_with_an_engine_containers_are_used_unless_asked_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("retentioncast.stack.up.engine_missing", lambda: "")
    assert choose_kind(Wanted(), Settings(home=tmp_path)) == "docker"
    assert choose_kind(Wanted(native=True), Settings(home=tmp_path)) == "native"


@pytest.mark.usefixtures("_no_engine")
def test_a_home_stays_the_kind_that_it_is(tmp_path: Path) -> None:
    started = Settings(home=tmp_path, stack=StackSettings(kind="native"))
    assert choose_kind(Wanted(), started) == "native"
    with pytest.raises(InvalidInput, match="is a native one"):
        choose_kind(Wanted(docker=True), started)
    with pytest.raises(InvalidInput, match="exclude each other"):
        choose_kind(Wanted(native=True, docker=True), started)


def test_a_connector_that_nobody_can_ask_is_said_and_is_no_error() -> None:
    settings = Settings(connect={"url": "http://127.0.0.1:1"})
    assert "127.0.0.1:1" in describe_connector(settings)


def test_a_connector_that_failed_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    failed = ConnectorStatus("RUNNING", ("FAILED",), "the slot is gone")
    monkeypatch.setattr("retentioncast.stack.status.connector_status", lambda _: failed)
    assert describe_connector(Settings()) == "failed: the slot is gone"
