"""Which version is in force, and which were before: numbered files, each written once and never changed."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Literal, cast

from retentioncast.core.errors import InvalidInput
from retentioncast.infra.artefacts.errors import BrokenVersion, PromotedMeanwhile
from retentioncast.infra.artefacts.manifest import SCHEMA_VERSION, sealed, unsealed
from retentioncast.infra.artefacts.store import ModelStore

PROMOTIONS = "promotions"
#: Promotions that are kept; the scorer makes one a run.
KEEP = 500
Action = Literal["published", "promoted", "rolled back", "released"]


@dataclass(frozen=True, slots=True)
class Promotion:
    """One entry: since `at` this version is in force. Pinned: the scorer uses it as it is instead of fitting anew."""

    number: int
    version: str
    action: Action
    pinned: bool
    at: datetime
    note: str = ""


@dataclass(frozen=True, slots=True)
class Promotions:
    """The history of a store."""

    store: ModelStore

    def number(self) -> int:
        """Of the latest promotion; 0 when there is none. One listing: cheap enough to look for a change."""
        return max(self._numbers(), default=0)

    def current(self) -> Promotion | None:
        """The latest promotion that can be read; a damaged one never was."""
        return next(iter(self.history(1)), None)

    def history(self, limit: int = KEEP) -> list[Promotion]:
        """The latest ones, the newest first; damaged ones left out."""
        found: list[Promotion] = []
        for number in sorted(self._numbers(), reverse=True):
            if len(found) == limit:
                break
            if entry := self._read(number):
                found.append(entry)
        return found

    def promote(
        self, version: str, action: Action, pinned: bool, note: str = "", after: int | None = None
    ) -> Promotion:
        """Put a version in force, once it has been read whole. `after`: only if that number is still the latest.

        Raises:
            NoSuchVersion, BrokenVersion, NewerVersion: it cannot be used; what is in force stays.
            PromotedMeanwhile: somebody else was quicker; theirs is in force.
        """
        self.store.read(version)
        number = (self.number() if after is None else after) + 1
        entry = Promotion(number, version, action, pinned, self.store.clock.now().astimezone(UTC), note)
        try:
            self.store.files.create(_path(number), sealed({"schema_version": SCHEMA_VERSION, **asdict(entry)}))
        except FileExistsError as error:
            other = self._read(number)
            what = f"Version {other.version} was {other.action}" if other else "Another version was promoted"
            raise PromotedMeanwhile(
                f"{what} at the same moment; {version} was not.", "Look at `retentioncast models list`, then repeat."
            ) from error
        for old in (one for one in self._numbers() if one <= number - KEEP):
            self.store.files.remove(_path(old))
        return entry

    def before(self) -> str:
        """The version to roll back to: the one that was in force before the current one, other rollbacks undone.

        InvalidInput when there is none that is still kept."""
        there = set(self.store.versions())
        stack: list[str] = []
        for entry in reversed(self.history()):
            if entry.action == "rolled back" and entry.version in stack:
                del stack[len(stack) - stack[::-1].index(entry.version) :]
            elif not stack or stack[-1] != entry.version:
                stack.append(entry.version)
        found = [version for version in stack[:-1] if version in there]
        if not found:
            raise InvalidInput(
                "There is no earlier version to roll back to.", "`retentioncast models promote VERSION` chooses one."
            )
        return found[-1]

    def _read(self, number: int) -> Promotion | None:
        try:
            content = unsealed(self.store.files.read(_path(number)), f"promotion {number}")
            moment = datetime.fromisoformat(content["at"])
            action, pinned = cast("Action", content["action"]), bool(content["pinned"])
            return Promotion(number, str(content["version"]), action, pinned, moment, str(content["note"]))
        except (BrokenVersion, FileNotFoundError, KeyError, ValueError):
            return None

    def _numbers(self) -> list[int]:
        names = (path.split("/")[-1].removesuffix(".json") for path in self.store.files.tree(PROMOTIONS))
        return [int(name) for name in names if name.isdigit()]


def _path(number: int) -> str:
    return f"{PROMOTIONS}/{number:08d}.json"
