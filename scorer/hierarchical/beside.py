"""Starts the refit of segment values beside the scorer, on its period, as a process that nobody waits for."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

import psycopg

from retentioncast.core.clock import Clock, SystemClock
from retentioncast.core.errors import Retry
from retentioncast.infra.postgres import connect
from retentioncast.infra.settings import Settings
from retentioncast.infra.sql import sql
from scorer.hierarchical.store import SQL

logger = logging.getLogger(__name__)

LOOK_S = 1.0
#: After the scorer's own first scores: these should not wait for a second process.
FIRST_S = 30.0
#: A refit may take so many times its budget (the last fit, values, publishing), then it is ended.
PATIENCE = 2.0
_END_S = 5.0


class Process(Protocol):
    """A process that was started; subprocess.Popen is one."""

    def poll(self) -> int | None: ...

    def terminate(self) -> None: ...

    def kill(self) -> None: ...

    def wait(self, timeout: float | None = None) -> int: ...


@dataclass(slots=True)
class Refits:
    """Looks now and then: starts a refit that is due, ends one that takes too long."""

    start: Callable[[], Process]
    #: Whether there are scores in force.
    ready: Callable[[], bool]
    clock: Clock
    period_s: float
    budget_s: float
    _running: Process | None = None
    _begun_s: float = 0.0
    _due_s: float | None = field(default=None)

    def look(self) -> None:
        """Never waits."""
        now = self.clock.monotonic_s()
        if self._running is not None:
            self._watch(self._running, now)
        elif self._due_s is None:
            self._due_s = now + FIRST_S if self.ready() else None
        elif now >= self._due_s:
            self._begun_s, self._due_s = now, now + self.period_s
            self._running = self.start()

    def end(self) -> None:
        """No refit goes on."""
        if self._running is not None and self._running.poll() is None:
            self._running.terminate()
            try:
                self._running.wait(_END_S)
            except subprocess.TimeoutExpired:
                self._running.kill()
                self._running.wait()
        self._running = None

    def _watch(self, process: Process, now: float) -> None:
        status = process.poll()
        if status is not None:
            logger.debug("The refit ended with %d.", status, extra={"action": "refit segments"})
            self._running = None
        elif now - self._begun_s > PATIENCE * self.budget_s:
            taken = now - self._begun_s
            logger.warning("Segment values: ended after %.0f s.", taken, extra={"action": "refit segments"})
            self.end()


@contextmanager
def refits_beside(settings: Settings, stop: threading.Event, clock: Clock | None = None) -> Iterator[None]:
    """Segment values are refitted while the body runs; when it ends, no process is left."""
    asked = settings.scorer.segments
    if not asked.enabled:
        yield
        return
    refits = Refits(_start, lambda: _scores_in_force(settings), clock or SystemClock(), asked.period_s, asked.budget_s)
    done = threading.Event()

    def watch() -> None:
        while not (done.wait(LOOK_S) or stop.is_set()):
            refits.look()

    thread = threading.Thread(target=watch, name="segment values", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
        refits.end()


def _start() -> Process:
    """One thread of linear algebra: several would spin against the scorer's."""
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    return subprocess.Popen([sys.executable, "-m", "scorer.hierarchical"], env=os.environ | threads)


def _scores_in_force(settings: Settings) -> bool:
    """Not while the database does not answer."""
    try:
        with connect(settings, "scorer", autocommit=True) as connection:
            row = connection.execute(sql("segments.scores_in_force", SQL)).fetchone()
            return bool(row and row[0])
    except (Retry, psycopg.Error):
        return False
