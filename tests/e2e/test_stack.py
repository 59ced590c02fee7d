"""The native stack as a person uses it: up, status, a kill, up again, down; on real parts."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from retentioncast.infra.settings import ENV_PREFIX
from retentioncast.stack.orphans import processes_of, stop_all
from tests.private_stack import clean_environment, private_home

DEADLINE_S = 240


class Command:
    """`retentioncast ...` with a home of its own."""

    def __init__(self, home: Path) -> None:
        self.home = home

    def __call__(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        environment = {**clean_environment(), f"{ENV_PREFIX}HOME": str(self.home), "COLUMNS": "200", **variables}
        command = [str(Path(sys.executable).with_name("retentioncast")), *arguments]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, cwd="/")

    def parts(self) -> dict[str, dict[str, Any]]:
        described = json.loads(self("status", "--json").stdout)
        return {part["name"]: part for part in described["parts"]}

    def wait_for_another(self, name: str, pid: int) -> dict[str, Any]:
        """The part once it runs under another pid."""
        give_up = time.monotonic() + DEADLINE_S
        while (part := self.parts()[name])["pid"] in (pid, None) or part["state"] != "running":
            assert time.monotonic() < give_up, f"{name} did not come back: {part}"
            time.sleep(0.5)
        return part


@pytest.fixture(scope="module")
def retentioncast() -> Iterator[Command]:
    """The command, with Postgres, Kafka and Connect running."""
    with private_home() as home:
        command = Command(home)
        try:
            up = command("up", "--native", "--no-demo", "--infrastructure-only")
            assert up.returncode == 0, up.stdout + up.stderr
            yield command
        finally:
            command("down")
            stop_all(processes_of(home))


def _infrastructure(command: Command) -> dict[str, int]:
    parts = command.parts()
    return {name: parts[name]["pid"] for name in ("postgres", "kafka", "connect")}


def test_everything_listens_on_loopback_only(retentioncast: Command) -> None:
    for pid in _infrastructure(retentioncast).values():
        listening = [each for each in psutil.Process(pid).net_connections() if each.status == psutil.CONN_LISTEN]
        assert listening
        assert {each.laddr.ip.removeprefix("::ffff:") for each in listening} == {"127.0.0.1"}


def test_postgres_never_runs_as_root(retentioncast: Command) -> None:
    assert psutil.Process(_infrastructure(retentioncast)["postgres"]).uids().real != 0


def test_a_second_up_leaves_alone_what_runs(retentioncast: Command) -> None:
    before = _infrastructure(retentioncast)
    assert retentioncast("up", "--infrastructure-only").returncode == 0
    assert _infrastructure(retentioncast) == before


@pytest.mark.parametrize("name", ["postgres", "kafka", "connect"])
def test_a_part_that_is_killed_comes_back_by_itself(retentioncast: Command, name: str) -> None:
    before = retentioncast.parts()[name]["pid"]
    os.kill(before, signal.SIGKILL)
    retentioncast.wait_for_another(name, before)


def test_a_part_can_be_stopped_started_and_restarted(retentioncast: Command) -> None:
    assert retentioncast("stop", "connect").returncode == 0
    assert retentioncast.parts()["connect"]["state"] == "stopped"
    assert retentioncast("start", "connect").returncode == 0
    before = retentioncast.wait_for_another("connect", 0)["pid"]
    assert retentioncast("restart", "connect").returncode == 0
    retentioncast.wait_for_another("connect", before)


def test_the_logs_of_a_part_can_be_read(retentioncast: Command) -> None:
    assert "ready to accept connections" in retentioncast("logs", "postgres", "-n", "1000").stdout


def test_without_the_supervisor_the_parts_are_seen_and_up_takes_them_over(retentioncast: Command) -> None:
    pid = int((retentioncast.home / "run" / "supervisord.pid").read_text())
    os.kill(pid, signal.SIGKILL)
    psutil.wait_procs([psutil.Process(pid)] if psutil.pid_exists(pid) else [], 10)
    assert retentioncast.parts()["kafka"]["state"] == "unsupervised"
    up = retentioncast("up", "--infrastructure-only")
    assert up.returncode == 0, up.stdout + up.stderr
    assert {part["state"] for part in retentioncast.parts().values() if part["pid"]} == {"running"}


def test_down_leaves_no_process_and_up_finds_the_data_again(retentioncast: Command) -> None:
    pids = _infrastructure(retentioncast).values()
    assert retentioncast("down").returncode == 0
    assert [pid for pid in pids if psutil.pid_exists(pid)] == []
    assert processes_of(retentioncast.home) == []
    up = retentioncast("up", "--infrastructure-only")
    assert "The topics are there" in up.stdout, up.stdout + up.stderr


def test_a_stored_port_that_somebody_else_holds_is_said(retentioncast: Command) -> None:
    assert retentioncast("down").returncode == 0
    port = int(json.loads(retentioncast("status", "--json").stdout)["endpoints"]["kafka"].rpartition(":")[2])
    with socket.create_server(("127.0.0.1", port)):
        up = retentioncast("up", "--infrastructure-only")
    assert up.returncode == 1
    assert f"Port {port}, meant for kafka, is taken by process {os.getpid()}" in up.stderr
    assert "Next:" in up.stderr
    assert processes_of(retentioncast.home) == []
