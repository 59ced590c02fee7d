"""What the scorer makes of the model store between runs, whatever happens to it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest

from retentioncast.core.clock import ManualClock
from retentioncast.core.errors import Retry
from retentioncast.infra.artefacts.errors import StoreUnreachable
from retentioncast.infra.artefacts.opening import open_files
from retentioncast.infra.artefacts.promotions import Promotions
from retentioncast.infra.artefacts.store import ModelStore
from retentioncast.infra.settings import ModelsSettings, Settings
from scorer import artefacts
from scorer.artefacts import Keeper, KeepingStore
from scorer.generation import Generation
from scorer.ruling import Ruling
from scorer.runs import Run
from scorer.snapshot import Snapshot

MOMENT = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class Model:
    text: str

    def to_json(self) -> str:
        return self.text


def generation(text: str) -> Generation:
    return Generation(pd.DataFrame(), {}, (), -5.0, models={"purchase": Model(text)})


def run(number: int) -> Run:
    return Run(MOMENT, "0.1.0", "published", "Scores.", number)


@pytest.fixture
def keeper(tmp_path: Path) -> Keeper:
    return Keeper(Settings(home=tmp_path, models=ModelsSettings(keep=2)), ManualClock(MOMENT))


@pytest.fixture
def history(tmp_path: Path) -> Promotions:
    return Promotions(ModelStore(open_files(str(tmp_path / "models"), 5), ManualClock(MOMENT)))


def keep(keeper: Keeper, number: int) -> str:
    """One run of the scorer."""
    keeper.clock.sleep(2)
    keeper.stored()
    return keeper.keep(run(number), generation(f'{{"run": {number}}}'))


def test_each_run_is_kept_and_in_force_and_old_ones_go(keeper: Keeper, history: Promotions) -> None:
    assert [keep(keeper, number) for number in range(4)] == [""] * 4
    versions = history.store.versions()
    assert len(versions) == 2
    now = history.current()
    assert now is not None and now.version == versions[-1]
    assert keeper.stored().texts == {"purchase": '{"run": 3}'}


def test_a_version_that_was_promoted_by_hand_is_not_forgotten(keeper: Keeper, history: Promotions) -> None:
    keep(keeper, 0)
    first = history.store.versions()[0]
    history.promote(first, "promoted", pinned=False)
    for number in range(1, 6):
        keep(keeper, number)
    assert history.store.versions()[0] == first


def test_a_pin_that_comes_while_a_run_is_under_way_is_not_undone_by_it(keeper: Keeper, history: Promotions) -> None:
    keep(keeper, 0)
    keeper.stored()
    pinned = history.promote(history.store.versions()[0], "promoted", pinned=True)
    keeper.clock.sleep(2)
    assert keeper.keep(run(1), generation("{}")) == ""
    assert history.current() == pinned
    assert keeper.promoted_elsewhere()
    assert keeper.stored().pinned


def test_a_promotion_by_somebody_else_is_seen_once(keeper: Keeper, history: Promotions) -> None:
    assert not keeper.promoted_elsewhere()
    keep(keeper, 0)
    assert not keeper.promoted_elsewhere()
    history.promote(history.store.versions()[0], "promoted", pinned=True)
    keeper.clock.sleep(2)
    assert keeper.promoted_elsewhere()
    keeper.stored()
    keeper.clock.sleep(2)
    assert not keeper.promoted_elsewhere()


def test_pinned_models_stay_in_use_while_the_store_does_not_answer(
    keeper: Keeper, history: Promotions, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(keeper, 0)
    history.promote(history.store.versions()[0], "promoted", pinned=True)
    before = keeper.stored()

    def silent(*_: object) -> int:
        raise StoreUnreachable("The model store does not answer.")

    monkeypatch.setattr(Promotions, "number", silent)
    now = keeper.stored()
    assert (now.version, now.pinned, now.texts) == (before.version, True, before.texts)
    assert now.notes == ("Models not read: The model store does not answer.",)


@dataclass
class Inner:
    """Where the scores go."""

    takes_notes: bool = True

    def read_snapshot(self, asked: datetime | None) -> Snapshot:
        return Snapshot(MOMENT, pd.DataFrame(), pd.DataFrame(), None, None, None)

    def publish(self, run: Run, generation: Generation, elapsed_s: object) -> Run:
        return run

    def record(self, run: Run, ruling: Ruling | None = None) -> Run:
        return run

    def add_note(self, run: Run, note: str) -> Run:
        if not self.takes_notes:
            raise Retry("Postgres is gone.")
        return Run(run.started_at, run.code_version, run.status, f"{run.reason} {note}", run.run_id)


@pytest.mark.parametrize("takes_notes", [True, False])
def test_whatever_the_store_does_the_run_is_published(
    keeper: Keeper, takes_notes: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(artefacts, "write_draws", full)
    monkeypatch.setattr(artefacts, "_draws", lambda *_: {"r": [1.0]})
    store = KeepingStore(Inner(takes_notes), keeper)
    done = store.publish(run(1), generation("{}"), lambda: 0.0)
    assert done.status == "published"
    assert ("Models not stored: OSError: No space left on device." in done.reason) == takes_notes
