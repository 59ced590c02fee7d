"""Shows what the simulator does: one line that changes on a terminal, a log line every ten seconds elsewhere."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from rich.console import Console
from rich.status import Status

from retentioncast.core.clock import Clock
from simulator.plan import TRANSACTION, Write
from simulator.rhythm import to_datetime

logger = logging.getLogger(__name__)

_EVERY_S = {True: 1.0, False: 10.0}


@dataclass(slots=True)
class Progress:
    """Counts what was written, and tells it from time to time."""

    clock: Clock
    console: Console
    totals: Counter[str] = field(default_factory=Counter)
    rows: int = 0
    _told_s: float = field(init=False)
    _told_rows: int = 0
    _status: Status | None = None

    def __post_init__(self) -> None:
        self._told_s = self.clock.monotonic_s()

    def count(self, writes: Sequence[Write], rows: int) -> None:
        """These writes changed so many rows."""
        self.rows += rows
        self.totals.update(str(w.row[3]) if w.kind == TRANSACTION else w.kind for w in writes)

    def tell(self, doing: str, event_time: int, customers: int, asked: str) -> None:
        """Say where we are, if it is time to."""
        passed = self.clock.monotonic_s() - self._told_s
        if passed < _EVERY_S[self.console.is_terminal]:
            return
        rate = (self.rows - self._told_rows) / passed
        self._told_s, self._told_rows = self._told_s + passed, self.rows
        self._show(doing, rate, event_time, customers, asked)

    def close(self) -> None:
        """Give the terminal's line back."""
        if self._status is not None:
            self._status.stop()
            self._status = None

    def _show(self, doing: str, rate: float, event_time: int, customers: int, asked: str) -> None:
        at = f"{to_datetime(event_time):%Y-%m-%d %H:%M}"
        line = f"{doing}: {rate:,.0f} writes/s (asked: {asked}), shop time {at}, {customers:,} active customers"
        kinds = ", ".join(f"{count:,} {kind}" for kind, count in self.totals.most_common())
        if not self.console.is_terminal:
            extra = {"action": "simulate", "writes_per_s": round(rate, 1), "event_time": at}
            logger.info("%s. So far: %s.", line, kinds, extra=extra)
            return
        if self._status is None:
            self._status = self.console.status(line)
            self._status.start()
        self._status.update(f"{line}\n  {kinds}")
