"""The scorer and the model store: models are taken from it before a run and put into it after one.

The store never stands between a shop and its scores: whatever goes wrong with it is a note of the run, no more.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol

from retentioncast.core.clock import Clock
from retentioncast.core.errors import InvalidInput, RetentionCastError
from retentioncast.infra.artefacts.draws import write_draws
from retentioncast.infra.artefacts.errors import PromotedMeanwhile
from retentioncast.infra.artefacts.files import REMOTE
from retentioncast.infra.artefacts.manifest import Origin
from retentioncast.infra.artefacts.opening import open_files, store_url
from retentioncast.infra.artefacts.origin import git_commit, package_versions
from retentioncast.infra.artefacts.promotions import Promotion, Promotions
from retentioncast.infra.artefacts.store import ModelStore
from retentioncast.infra.settings import Settings
from scorer.generation import Generation
from scorer.ruling import Ruling
from scorer.runs import Run
from scorer.snapshot import Snapshot, StoredModels

logger = logging.getLogger(__name__)

#: How often a promotion by somebody else is looked for, in a folder and in a bucket, and after a look that failed.
LOOK_S, LOOK_REMOTE_S, LOOK_AGAIN_S = 1.0, 15.0, 60.0
#: How far back a good version is looked for when the one in force is broken.
_LOOK_BACK = 20


class Inner(Protocol):
    """The store of a run that publishes scores; see `scorer.store.PostgresStore`."""

    def read_snapshot(self, asked: datetime | None) -> Snapshot: ...

    def publish(self, run: Run, generation: Generation, elapsed_s: Callable[[], float]) -> Run: ...

    def record(self, run: Run, ruling: Ruling | None = None) -> Run: ...

    def add_note(self, run: Run, note: str) -> Run: ...


@dataclass(slots=True)
class Keeper:
    """What the scorer knows of the model store from run to run."""

    settings: Settings
    clock: Clock
    _promotions: Promotions | None = None
    #: The latest promotion that was seen; none looked for yet: -1.
    _number: int = -1
    _last: StoredModels | None = None
    _look_at_s: float = 0.0

    def stored(self) -> StoredModels:
        """The models in force, or, where they cannot be read, the last that could; `notes` say what was wrong."""
        try:
            history = self._open()
            self._number = history.number()
            self._last = self._choose(history)
            return self._last
        except RetentionCastError as error:
            logger.warning("Models not read: %s", error, extra={"action": "read models"})
            last = self._last or StoredModels()
            return replace(last, notes=(f"Models not read: {error}",))

    def keep(self, run: Run, generation: Generation) -> str:
        """Put the run's models into the store and in force. What went wrong, as a note; else empty."""
        if not generation.models or (self._last and self._last.pinned):
            return ""
        try:
            history = self._open()
            texts = {name: model.to_json() for name, model in generation.models.items()}
            files = {f"{name}.json": text.encode() for name, text in texts.items()}
            if draws := _draws(generation.models, self.settings.scorer.draws, self.settings.scorer.seed):
                files["draws.nc"] = write_draws(draws)
            version = history.store.put(files, _origin(run, generation)).version
            entry = history.promote(version, "published", False, f"run {run.run_id}", max(self._number, 0))
            self._number, self._last = entry.number, StoredModels(version, False, texts)
            history.store.forget(self.settings.models.keep, _to_keep(history))
        except PromotedMeanwhile as error:
            logger.info("%s", error.message, extra={"action": "keep models"})
        except RetentionCastError as error:
            logger.warning("Models not stored: %s", error, extra={"action": "keep models"})
            return f"Models not stored: {error}"
        except Exception as error:
            logger.exception("Models not stored.", extra={"action": "keep models"})
            return f"Models not stored: {type(error).__name__}: {error}."
        return ""

    def promoted_elsewhere(self) -> bool:
        """Whether somebody promoted a version since the last run: then the next run is due at once."""
        now = self.clock.monotonic_s()
        if self._number < 0 or now < self._look_at_s:
            return False
        self._look_at_s = now + (LOOK_REMOTE_S if store_url(self.settings).startswith(REMOTE) else LOOK_S)
        try:
            return self._open().number() != self._number
        except RetentionCastError as error:
            logger.debug("Cannot look: %s", error, extra={"action": "look at models"})
            self._look_at_s = now + LOOK_AGAIN_S
            return False

    def _open(self) -> Promotions:
        if self._promotions is None:
            files = open_files(store_url(self.settings), self.settings.models.timeout_s)
            self._promotions = Promotions(ModelStore(files, self.clock))
        return self._promotions

    def _choose(self, history: Promotions) -> StoredModels:
        """The models of the newest promotion whose version is whole; pinned as the newest promotion says."""
        entries = history.history(_LOOK_BACK)
        refused: list[str] = []
        for entry in entries:
            try:
                return self._read(history, entry, pinned=entries[0].pinned, refused=refused)
            except InvalidInput as error:
                logger.warning("Refused: %s", error, extra={"action": "read models"})
                refused.append(f"Version {entry.version} is refused: {error.message}")
        return StoredModels(notes=tuple(refused))

    def _read(self, history: Promotions, entry: Promotion, pinned: bool, refused: list[str]) -> StoredModels:
        """A version never changes: one that was read is not read again."""
        if self._last and self._last.version == entry.version:
            texts = self._last.texts
        else:
            files = history.store.read(entry.version).files
            texts = {
                name.removesuffix(".json"): data.decode() for name, data in files.items() if name.endswith(".json")
            }
        notes = [*refused]
        if pinned:
            notes.append(f"Scored with the pinned models of version {entry.version}; not refitted.")
        return StoredModels(entry.version, pinned, texts, tuple(notes))


@dataclass(slots=True)
class KeepingStore:
    """A run's store that takes models from the model store with the snapshot, and puts what was published into it."""

    inner: Inner
    keeper: Keeper

    def read_snapshot(self, asked: datetime | None) -> Snapshot:
        stored = self.keeper.stored()
        return replace(self.inner.read_snapshot(asked), stored=stored)

    def publish(self, run: Run, generation: Generation, elapsed_s: Callable[[], float]) -> Run:
        """First the scores, then the models: nobody waits for the model store."""
        done = self.inner.publish(run, generation, elapsed_s)
        note = self.keeper.keep(done, generation)
        try:
            return self.inner.add_note(done, note) if note else done
        except RetentionCastError as error:
            logger.warning("The note was not written: %s", error, extra={"action": "keep models"})
            return done

    def record(self, run: Run, ruling: Ruling | None = None) -> Run:
        return self.inner.record(run, ruling)


def _origin(run: Run, generation: Generation) -> Origin:
    metrics = {} if generation.log_likelihood is None else {"log_likelihood": generation.log_likelihood}
    return Origin(
        run.run_id, run.as_of, run.data_from, run.data_to, run.customers, run.code_version, git_commit(),
        package_versions(), metrics,
    )  # fmt: skip


def _draws(models: Mapping[str, Any], n: int, seed: int) -> dict[str, Any]:
    """Draws of each model that can make them, a variable a parameter: `purchase_alpha`, …"""
    draws: dict[str, Any] = {}
    for name, model in models.items():
        if hasattr(model, "draw_parameters"):
            columns = model.draw_parameters(n, seed).T
            draws |= {f"{name}_{p}": column for p, column in zip(model.parameter_names, columns, strict=True)}
    return draws


def _to_keep(history: Promotions) -> list[str]:
    """In force, or put there by hand."""
    entries = history.history()
    return [entry.version for entry in entries if entry.action != "published" or entry == entries[0]]
