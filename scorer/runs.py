"""One run of the scorer from beginning to end: it publishes a whole generation, or leaves the last one and says why."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol

from retentioncast.core.clock import Clock
from retentioncast.core.errors import RetentionCastError
from retentioncast.infra.settings import ScorerSettings
from scorer.generation import Generation, make_generation
from scorer.part import Status, status_of
from scorer.ruling import NotGoodEnough, Ruling
from scorer.snapshot import Snapshot

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Run:
    """A row of `scores.model_runs`."""

    started_at: datetime
    code_version: str
    status: Status = "failed"
    reason: str = ""
    run_id: int | None = None
    as_of: datetime | None = None
    parameters: dict[str, Any] | None = None
    data_from: datetime | None = None
    data_to: datetime | None = None
    customers: int | None = None
    log_likelihood: float | None = None
    duration_s: float = 0.0


class Store(Protocol):
    """Where snapshots come from and generations go; holding it means that no other scorer is at work."""

    def read_snapshot(self, asked: datetime | None) -> Snapshot:
        """All that was known at the time asked for, or at the stream's own."""

    def publish(self, run: Run, generation: Generation, elapsed_s: Callable[[], float]) -> Run:
        """Replace the scores in force, all or nothing."""

    def record(self, run: Run, ruling: Ruling | None = None) -> Run:
        """Write down a run that was not published, with what the gate ruled."""


class Stopped(Exception):
    """The scorer was asked to stop while a run was under way; nothing was written."""


@dataclass(frozen=True, slots=True)
class Scoring:
    """What every run needs beside the store."""

    settings: ScorerSettings
    clock: Clock
    code_version: str
    stopping: Callable[[], bool] = lambda: False

    def run(self, store: Store, asked: datetime | None = None) -> Run:
        """Read, fit, check, publish. Whatever goes wrong on the way leaves the last scores in force.

        Raises:
            Stopped: asked to stop on the way.
            Retry: not even the row that says what went wrong could be written.
        """
        begun = self.clock.monotonic_s()
        run = Run(self.clock.now(), self.code_version, as_of=asked)

        def elapsed_s() -> float:
            return self.clock.monotonic_s() - begun

        try:
            snapshot = store.read_snapshot(asked)
            run = _with_data(run, snapshot)
            self._stop_here()
            generation = make_generation(snapshot, self.settings)
            self._stop_here()
            done = store.publish(_with_generation(run, generation, self.settings), generation, elapsed_s)
        except Stopped:
            raise
        except NotGoodEnough as error:
            told = {"judgement": error.ruling.told, "settings": self.settings.model_dump(mode="json")}
            refused = replace(run, status="refused", reason=str(error), parameters=told, duration_s=elapsed_s())
            done = store.record(refused, error.ruling)
        except RetentionCastError as error:
            done = store.record(replace(run, status=status_of(error), reason=str(error), duration_s=elapsed_s()))
        except Exception as error:
            logger.exception("A run failed.", extra={"action": "score"})
            reason = f"{type(error).__name__}: {error}. See the scorer's log, and report it."
            done = store.record(replace(run, status="failed", reason=reason, duration_s=elapsed_s()))
        _log(done)
        return done

    def _stop_here(self) -> None:
        if self.stopping():
            raise Stopped


def _with_data(run: Run, snapshot: Snapshot) -> Run:
    return replace(
        run,
        as_of=snapshot.as_of,
        data_from=snapshot.data_from,
        data_to=snapshot.data_to,
        customers=len(snapshot.customers),
    )


def _with_generation(run: Run, generation: Generation, settings: ScorerSettings) -> Run:
    customers = len(generation.scores)
    return replace(
        run,
        status="published",
        reason=" ".join((f"Scores of {customers} customers.", *generation.notes)),
        parameters={**generation.parameters, "settings": settings.model_dump(mode="json")},
        customers=customers,
        log_likelihood=generation.log_likelihood,
    )


def _log(run: Run) -> None:
    level = logging.INFO if run.status == "published" else logging.WARNING
    fields = {"action": "score", "run_id": run.run_id, "customers": run.customers, "duration_s": run.duration_s}
    logger.log(level, "Run %s %s: %s", run.run_id, run.status, run.reason, extra=fields)
