"""Runs one contender over the whole topic and says how long it took, from its start and from its first commit."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import psutil

from retentioncast.core.errors import StackError
from retentioncast.infra.postgres import connect
from retentioncast.infra.settings import ENV_PREFIX, Settings
from retentioncast.infra.sql import sql
from retentioncast.stack.log_lines import last_lines
from retentioncast.stack.orphans import processes_of
from retentioncast.stack.paths import Paths

SQL = Path(__file__).parent / "sql"
DEADLINE_S = 900.0
#: How often the offsets are looked at: one small query.
POLL_S = 0.02


@dataclass(frozen=True, slots=True)
class Run:
    """One contender's pass. `rate` counts from the first commit on: what it does once it is running."""

    changes: int
    #: From the start of its processes to its last commit.
    total_s: float
    #: Changes a second after the first commit.
    rate: float
    #: Processor seconds of the contender and of Postgres, start-up included: other work on the machine does not count.
    cpu_s: float


def run_raw(settings: Settings, counts: Mapping[int, int], processes: int) -> Run:
    """The raw limit, with so many processes, each with its share of the partitions."""
    shares = [list(counts.items())[number::processes] for number in range(processes)]
    commands = [["benchmarks.raw_limit", *(f"{part}:{count}" for part, count in share)] for share in shares]
    return _run_printing(settings, commands)


def run_one_by_one(settings: Settings, count: int) -> Run:
    """One event a commit, over a slice."""
    return _run_printing(settings, [["benchmarks.one_by_one", str(count)]])


def _run_printing(settings: Settings, commands: list[list[str]]) -> Run:
    """Processes that print [[when, rows], ...] of their commits."""
    begun, cpu = time.monotonic(), cpu_s(settings)
    with contextlib.ExitStack() as stack:
        started = [stack.enter_context(process(settings, command)) for command in commands]
        printed = [each.communicate(timeout=DEADLINE_S)[0] for each in started]
    commits = sorted((when, rows) for text in printed for when, rows in json.loads(text))
    changes = sum(rows for _, rows in commits)
    return _run(changes, begun, commits[0], commits[-1][0], cpu_s(settings) - cpu)


def run_ours(settings: Settings, changes: int, processes: int, online: bool) -> Run:
    """Our consumer: so many processes in one new group, until the offsets say that all is applied."""
    variables = {
        f"{ENV_PREFIX}CONSUMER__GROUP": f"bench-{uuid4()}",
        f"{ENV_PREFIX}CONSUMER__ONLINE__ENABLED": str(online).lower(),
    }
    with contextlib.ExitStack() as stack:
        watcher, cpu = stack.enter_context(connect(settings, "owner", autocommit=True)), cpu_s(settings)
        begun = time.monotonic()
        started = [stack.enter_context(process(settings, ["consumer"], variables)) for _ in range(processes)]
        first: tuple[float, int] | None = None
        while (applied := _applied(watcher)) < changes:
            first = first or ((time.monotonic(), applied) if applied else None)
            _refuse_dead(settings, started)
            _refuse_late(begun)
            time.sleep(POLL_S)
        ended = time.monotonic()
    return _run(changes, begun, first or (ended, 0), ended, cpu_s(settings) - cpu)


@contextlib.contextmanager
def process(
    settings: Settings, module: list[str], variables: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[str]]:
    """`python -m module` with this home; asked to end with the block, and waited for."""
    environment = {**os.environ, **(variables or {}), f"{ENV_PREFIX}HOME": str(settings.home)}
    command = [sys.executable, "-m", *module]
    log = (settings.home / "logs" / f"{module[0]}.log").open("a", encoding="utf-8")
    with log, subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=log, text=True) as started:
        try:
            yield started
        finally:
            if started.poll() is None:
                started.terminate()
            started.wait(60)


def _run(changes: int, begun: float, first: tuple[float, int], ended: float, cpu: float) -> Run:
    return Run(changes, ended - begun, (changes - first[1]) / max(ended - first[0], 1e-9), cpu)


def cpu_s(settings: Settings) -> float:
    """Processor seconds so far: of Postgres with its backends, and of our ended child processes."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    total = children.ru_utime + children.ru_stime
    for server in processes_of(settings.home):
        if "postgres" in server.name():
            reaped = server.cpu_times()
            total += reaped.children_user + reaped.children_system
            total += sum(_own_cpu_s(each) for each in (server, *server.children(recursive=True)))
    return total


def _own_cpu_s(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system)


def _applied(connection: object) -> int:
    (count,) = connection.execute(sql("apply.applied", SQL)).fetchone()  # type: ignore[attr-defined]
    return int(count)


def _refuse_dead(settings: Settings, started: list[subprocess.Popen[str]]) -> None:
    if any(each.poll() is not None for each in started):
        tail = "\n".join(last_lines(Paths(settings.home).log("consumer"), 12))
        raise StackError(f"A consumer ended before all was applied. The end of its log:\n{tail}", "Correct it first.")


def _refuse_late(begun: float) -> None:
    if time.monotonic() - begun > DEADLINE_S:
        raise StackError(f"The changes were not applied within {DEADLINE_S:.0f} s.", "Try fewer: --changes.")
