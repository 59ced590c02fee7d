"""What is wrong with the machine is said before anything is started."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from retentioncast.core.clock import ManualClock
from retentioncast.core.errors import StackError
from retentioncast.stack.paths import Paths
from retentioncast.stack.preflight import only_one, refuse_full_disk
from retentioncast.stack.waiting import wait_until_empty


def test_a_full_disk_is_said_with_the_next_step(tmp_path: Path) -> None:
    with pytest.raises(StackError) as refused:
        refuse_full_disk(tmp_path / "not" / "there" / "yet", needed=10**18)
    assert "GB are free" in refused.value.message
    assert "RETENTIONCAST_HOME" in refused.value.next_step


def test_a_home_that_cannot_be_written_is_said_with_the_next_step(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StackError) as refused:
        Paths(tmp_path / "file" / "home").make()
    assert "cannot be written" in refused.value.message
    assert "RETENTIONCAST_HOME" in refused.value.next_step


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission_is_said_too(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(StackError, match="cannot be written"):
        Paths(tmp_path / "home").make()


def test_two_commands_never_change_a_stack_at_once(tmp_path: Path) -> None:
    paths = Paths(tmp_path)
    paths.make()
    with only_one(paths), pytest.raises(StackError, match="Another"), only_one(paths):
        pass
    with only_one(paths):
        pass


def test_waiting_ends_with_the_last_reason_at_the_deadline() -> None:
    clock = ManualClock(datetime(2026, 1, 1, tzinfo=UTC))
    noted: list[str] = []
    assert wait_until_empty(lambda: "not yet", 12, noted.append, clock) == "not yet"
    assert clock.elapsed_s >= 12
    assert noted[0].startswith("not yet (5 of at most 12 s")


def test_waiting_ends_as_soon_as_there_is_no_reason() -> None:
    clock = ManualClock(datetime(2026, 1, 1, tzinfo=UTC))
    answers = iter(["no", "no", ""])
    assert wait_until_empty(lambda: next(answers), 60, clock=clock) == ""
