"""Runs on a period, for the first time as soon as there is enough to fit, and sooner when much has come since."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from retentioncast.core.clock import Clock

logger = logging.getLogger(__name__)

POLL_S = 1.0
#: Caught up a bit: over this many seconds the changes applied have grown by no more than this share.
SETTLED_S = 2.0
SETTLED_GROWTH = 0.2
#: Much has come: the changes applied have grown by this share since the last run (a past that pours in).
MUCH = 0.2


@dataclass(slots=True)
class Loop:
    """Waits, runs, and waits again until it is told to stop."""

    #: One run; whether it was published.
    score: Callable[[], bool]
    #: Customers with an order (counted up to `enough`), and changes applied so far.
    growth: Callable[[], tuple[int, int]]
    #: Waits for so many seconds; true when the scorer should stop.
    wait: Callable[[float], bool]
    clock: Clock
    period_s: float
    enough: int
    #: Changes applied at the last run; none yet: -1.
    fitted: int = field(default=-1)
    #: Whether somebody put other models in force since the last run.
    asked: Callable[[], bool] = field(default=lambda: False)
    _looks: deque[tuple[float, int]] = field(default_factory=deque)

    def run(self) -> None:
        """Score until told to stop."""
        due = self.clock.monotonic_s() + self.period_s
        while not self._wait_until(due):
            due = self.clock.monotonic_s() + self.period_s
            self.score()

    def _wait_until(self, due: float) -> bool:
        """Whether to stop; returns before `due` when a run is worth its while at once."""
        while (left := due - self.clock.monotonic_s()) > 0:
            if self.asked() or self._ready():
                return False
            if self.wait(min(POLL_S, left)):
                return True
        return self.wait(0)

    def _ready(self) -> bool:
        """Enough customers, much that is new, and the stream has caught up a bit."""
        customers, applied = self.growth()
        now = self.clock.monotonic_s()
        self._looks.append((now, applied))
        while len(self._looks) > 1 and now - self._looks[1][0] >= SETTLED_S:
            self._looks.popleft()
        then, before = self._looks[0]
        settled = now - then >= SETTLED_S and applied <= before * (1 + SETTLED_GROWTH)
        ready = customers >= self.enough and settled and applied > self.fitted * (1 + MUCH)
        self.fitted = applied if ready else self.fitted
        return ready
