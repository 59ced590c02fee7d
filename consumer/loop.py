"""The writer's loop: takes batches from the reader and has each applied."""

from __future__ import annotations

import contextlib
import logging
import queue
from concurrent.futures import Future
from dataclasses import dataclass, field

from consumer.ahead import Staged, Stager
from consumer.reader import Reader
from consumer.writer import Writer
from retentioncast.core.clock import Clock
from retentioncast.core.errors import Fenced

logger = logging.getLogger(__name__)

_REPORT_EVERY_S = 10.0


@dataclass(slots=True)
class Loop:
    """One reader, one writer, until told to stop."""

    reader: Reader
    writer: Writer
    stager: Stager
    clock: Clock
    reported_at: float = field(default=0.0)
    reported: int = field(default=0)
    #: The batch after the one that is being applied, on its way to the server.
    ahead: Future[Staged] | None = field(default=None)

    def run(self) -> None:
        """Apply batches until the reader has ended; its failure is raised here."""
        while self.reader.is_alive() or not self.reader.batches.empty() or self.ahead:
            self._step()
            self._report()
        if self.reader.failure is not None:
            raise self.reader.failure

    def _step(self) -> None:
        staged = self._next()
        if staged is None:
            return
        self._look_ahead()
        try:
            self.writer.apply(staged)
            self.reader.told.put(staged.batch.spans)
        except Fenced:
            self.reader.stop()
            raise
        finally:
            self.reader.batches.task_done()

    def _next(self) -> Staged | None:
        if (ahead := self.ahead) is not None:
            self.ahead = None
            return ahead.result()
        try:
            return Staged(self.reader.batches.get(timeout=0.5))
        except queue.Empty:
            return None

    def _look_ahead(self) -> None:
        with contextlib.suppress(queue.Empty):
            self.ahead = self.stager.start(self.reader.batches.get_nowait())

    def _report(self) -> None:
        now = self.clock.monotonic_s()
        if now - self.reported_at < _REPORT_EVERY_S:
            return
        count, self.reported = self.writer.applied - self.reported, self.writer.applied
        self.reported_at = now
        if count:
            logger.info("Applied %d changes.", count, extra={"action": "apply", "changes": count})
