"""Finds processes of a home by their environment, also when the supervisor that started them was killed."""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path

import psutil

from retentioncast.stack.part import PartStatus
from retentioncast.stack.supervision import MARK


def processes_of(home: Path) -> list[psutil.Process]:
    """Every process that a stack with this home started and that still runs."""
    return [process for process in psutil.process_iter() if process.pid != os.getpid() and _is_of(process, home)]


#: They end after those that need them: a Connect without Kafka cannot leave its group, and the next one waits for it.
SERVERS = ("kafka", "postgres")


def stop_all(processes: list[psutil.Process], deadline_s: float = 20) -> None:
    """Ask them to end, wait, then end those that did not; the servers when the others are gone."""
    servers = [process for process in processes if _part_of(process) in SERVERS]
    _stop([process for process in processes if process not in servers], deadline_s)
    _stop(servers, deadline_s)


def _stop(processes: list[psutil.Process], deadline_s: float) -> None:
    for process in processes:
        # Postgres takes TERM for "when the last client has left"; INT is its orderly stop.
        _send(process, signal.SIGINT if _part_of(process) == "postgres" else signal.SIGTERM)
    _, alive = psutil.wait_procs(processes, deadline_s)
    for process in alive:
        _send(process, signal.SIGKILL)
    psutil.wait_procs(alive, 5)


def unsupervised(home: Path) -> list[PartStatus]:
    """Parts that run although no supervisor answers."""
    found = {_part_of(process): process for process in reversed(processes_of(home))}
    return [
        PartStatus(name, "unsupervised", process.pid, detail="run `retentioncast up`")
        for name, process in found.items()
    ]


def _is_of(process: psutil.Process, home: Path) -> bool:
    environment = _environment(process)
    return MARK in environment and environment.get("RETENTIONCAST_HOME") == str(home)


def _part_of(process: psutil.Process) -> str:
    return _environment(process).get(MARK, "")


def _environment(process: psutil.Process) -> dict[str, str]:
    try:
        return process.environ()
    except (psutil.Error, OSError):
        return {}


def _send(process: psutil.Process, number: signal.Signals) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        process.send_signal(number)
