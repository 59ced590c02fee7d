"""A run publishes or leaves a row that says why not, whatever goes wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import pandas as pd
import pytest

from retentioncast.core.clock import ManualClock
from retentioncast.core.errors import NotEnoughData, Retry
from retentioncast.infra.settings import ScorerSettings
from scorer import runs
from scorer.generation import Generation
from scorer.ruling import Ruling
from scorer.runs import Run, Scoring, Stopped
from scorer.snapshot import Snapshot

MOMENT = datetime(2026, 1, 1, tzinfo=UTC)
SNAPSHOT = Snapshot(MOMENT, pd.DataFrame(index=[1, 2]), pd.DataFrame(), MOMENT, MOMENT, None)
GENERATION = Generation(pd.DataFrame(index=[1, 2, 3]), {"purchase": None}, ("No money columns: why.",), -5.0)


@dataclass
class FakeStore:
    """Holds what was written."""

    snapshot: Snapshot | Exception = SNAPSHOT
    publishes: bool = True
    rows: list[Run] = field(default_factory=list)

    def read_snapshot(self, asked: datetime | None) -> Snapshot:
        if isinstance(self.snapshot, Exception):
            raise self.snapshot
        return replace(self.snapshot, as_of=asked or self.snapshot.as_of)

    def publish(self, run: Run, generation: Generation, elapsed_s: Callable[[], float]) -> Run:
        if not self.publishes:
            raise Retry("Postgres did not let the scorer publish: gone.")
        return self.record(run)

    def record(self, run: Run, ruling: Ruling | None = None) -> Run:
        self.rows.append(run)
        return run


@pytest.fixture(autouse=True)
def _generation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "make_generation", lambda *_: GENERATION)


def scoring(stopping: bool = False) -> Scoring:
    return Scoring(ScorerSettings(), ManualClock(MOMENT), "0.1.0", lambda: stopping)


def test_a_published_run_says_how_many_and_what_is_missing() -> None:
    store = FakeStore()
    run = scoring().run(store)
    assert store.rows == [run]
    assert (run.status, run.customers, run.log_likelihood) == ("published", 3, -5.0)
    assert run.reason == "Scores of 3 customers. No money columns: why."
    assert run.parameters is not None and run.parameters["settings"]["min_customers"] == 100


@pytest.mark.parametrize(
    ("error", "status", "reason"),
    [
        (NotEnoughData("Nothing yet.", "Wait."), "refused", "Nothing yet. Wait."),
        (Retry("Postgres is gone."), "failed", "Postgres is gone."),
        (OverflowError("date value out of range"), "failed", "OverflowError: date value out of range."),
    ],
)
def test_whatever_goes_wrong_is_written_down(error: Exception, status: str, reason: str) -> None:
    store = FakeStore(snapshot=error)
    run = scoring().run(store, MOMENT)
    assert store.rows == [run]
    assert (run.status, run.as_of, run.parameters) == (status, MOMENT, None)
    assert run.reason.startswith(reason)


def test_a_generation_that_could_not_be_written_is_no_published_run() -> None:
    store = FakeStore(publishes=False)
    assert scoring().run(store).status == "failed"
    assert [row.status for row in store.rows] == ["failed"]


def test_a_stop_on_the_way_writes_nothing() -> None:
    store = FakeStore()
    with pytest.raises(Stopped):
        scoring(stopping=True).run(store)
    assert store.rows == []
