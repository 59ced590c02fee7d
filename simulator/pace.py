"""How fast to write: so many rows a second, so many event seconds a second, or as fast as Postgres takes them."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from typing import Protocol

from retentioncast.core.clock import Clock
from simulator.plan import Plan
from simulator.rhythm import SECOND

#: Writes a second at each load; None: no limit.
LOADS: dict[str, float | None] = {"quiet": 2.0, "normal": 20.0, "busy": 600.0, "flood": None}
#: Whoever could not keep up for longer than this does not try to catch up on more.
_CATCH_UP_S = 5.0
#: At high rates a transaction holds what this time brings; at low rates each write is one of its own.
_GATHER_S = 0.05
_LARGEST = 20_000


class Pace(Protocol):
    """Decides how many of a plan's next writes may be written now."""

    #: How many writes to plan at least.
    batch: int

    @property
    def asked(self) -> str:
        """What was asked for, for people to read."""

    def allowed(self, plan: Plan) -> int:
        """So many of the next writes are due; 0: none yet."""

    def wait_s(self, plan: Plan) -> float:
        """Seconds until the next ones are due."""

    def written(self, rows: int) -> None:
        """So many rows of the shop have been changed."""


@dataclass(slots=True)
class FloodPace:
    """As fast as it goes, in large batches of whole ticks."""

    batch: int = _LARGEST

    @property
    def asked(self) -> str:
        return "as fast as possible"

    def allowed(self, plan: Plan) -> int:
        return len(plan.writes) - plan.position

    def wait_s(self, plan: Plan) -> float:
        return 0.0

    def written(self, rows: int) -> None:
        """Nothing to keep to."""


@dataclass(slots=True)
class RatePace:
    """So many rows a wall second, kept to an absolute schedule: what sleeping loses is made up for."""

    rate: float
    clock: Clock
    batch: int = 1
    _start_s: float = field(init=False)
    _rows: float = 0.0

    def __post_init__(self) -> None:
        self._start_s = self.clock.monotonic_s()

    @property
    def asked(self) -> str:
        return f"{self.rate:g} writes/s"

    def allowed(self, plan: Plan) -> int:
        remaining, due = len(plan.writes) - plan.position, self._due()
        if due < min(self._gather, remaining):
            return 0
        return min(int(due), remaining, _LARGEST if self._gather > 1 else 1)

    def wait_s(self, plan: Plan) -> float:
        missing = min(self._gather, len(plan.writes) - plan.position) - self._due()
        return max(missing / self.rate, 0.0)

    def written(self, rows: int) -> None:
        self._rows += rows

    @property
    def _gather(self) -> int:
        return max(1, int(self.rate * _GATHER_S))

    def _due(self) -> float:
        """Rows that the schedule is ahead of what was written; a long standstill is forgiven."""
        due = (self.clock.monotonic_s() - self._start_s) * self.rate - self._rows
        excess = due - max(_CATCH_UP_S * self.rate, 1.0)
        if excess > 0:
            self._rows += excess
            due -= excess
        return due + 1e-9


@dataclass(slots=True)
class SpeedPace:
    """So many event seconds a wall second: each write at its own time."""

    speed: float
    clock: Clock
    #: The event time at which it begins, in microseconds.
    begin: int
    batch: int = 1
    _start_s: float = field(init=False)

    def __post_init__(self) -> None:
        self._start_s = self.clock.monotonic_s()

    @property
    def asked(self) -> str:
        return f"{self.speed:g} event seconds/s"

    def allowed(self, plan: Plan) -> int:
        due = bisect_right(plan.writes, self._event_time(plan), plan.position, key=lambda write: write.at)
        return min(due - plan.position, _LARGEST)

    def wait_s(self, plan: Plan) -> float:
        missing = plan.writes[plan.position].at - self._event_time(plan)
        return max(missing / SECOND / self.speed, _GATHER_S / 2)

    def written(self, rows: int) -> None:
        """Only event time counts here."""

    def _event_time(self, plan: Plan) -> int:
        passed = (self.clock.monotonic_s() - self._start_s) * self.speed * SECOND
        behind = self.begin + passed - plan.writes[plan.position].at - _CATCH_UP_S * self.speed * SECOND
        if behind > 0:
            self.begin -= int(behind)
        return int(self.begin + passed)
