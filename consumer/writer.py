"""Applies a batch once, come what may: deadlocks, broken connections, rows that Postgres refuses."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg

from consumer.ahead import Staged
from consumer.events import Batch
from consumer.isolate import isolate
from consumer.online_state import PartitionDelta
from consumer.positions import committed
from consumer.store import write_batch, write_staged
from retentioncast.core.clock import Clock
from retentioncast.core.errors import Retry

if TYPE_CHECKING:
    from consumer.online import OnlineModels

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Writer:
    """Applies batches over one connection, which it renews when it breaks."""

    connect: Callable[[], psycopg.Connection]
    online: OnlineModels | None
    clock: Clock
    retry_deadline_s: float
    connection: psycopg.Connection | None = None
    applied: int = 0

    def apply(self, staged: Staged) -> None:
        """Write a batch; again after a deadlock or a broken connection, until the deadline.

        Raises:
            Fenced: another consumer has moved these offsets; nothing was written.
            Retry: the database did not come back in time; nothing was written.
        """
        batch = staged.batch
        deltas = self.online.learn(batch) if self.online else []
        give_up, pause = self.clock.monotonic_s() + self.retry_deadline_s, 0.05
        again = staged.connection is not None
        written = self._write_ahead(staged, deltas)
        while not (written or self._attempt(batch, deltas, again)):
            if self.clock.monotonic_s() + pause > give_up:
                raise Retry("Postgres did not take a batch in time.", "See its log: `retentioncast logs postgres`.")
            self.clock.sleep(pause)
            pause, again = min(pause * 2, 5.0), True
        self.applied += batch.messages

    def _write_ahead(self, staged: Staged, deltas: list[PartitionDelta]) -> bool:
        """Apply what was copied ahead; when that fails it is forgotten and the batch is written from the start."""
        connection, staged.connection = staged.connection, None
        if connection is None:
            return False
        try:
            with staged.transaction:
                write_staged(connection, staged.batch, deltas, staged.sources)
        except (psycopg.DataError, psycopg.OperationalError, psycopg.InterfaceError) as error:
            logger.warning("A batch that was copied ahead is written anew: %s", error, extra={"action": "retry"})
            return False
        return True

    def _attempt(self, batch: Batch, deltas: list[PartitionDelta], again: bool) -> bool:
        try:
            connection = self._connected()
            if again and committed(connection, batch.spans):
                return True
            write_batch(connection, batch, deltas)
        except psycopg.DataError as error:
            logger.warning("A batch holds a row that Postgres refuses: %s", error, extra={"action": "isolate"})
            isolate(self._connected(), batch)
            return False
        except (psycopg.OperationalError, psycopg.InterfaceError, Retry) as error:
            logger.warning("A batch was not written and is tried again: %s", error, extra={"action": "retry"})
            self._disconnect_if_broken()
            return False
        return True

    def _connected(self) -> psycopg.Connection:
        if self.connection is None or self.connection.closed:
            self.connection = self.connect()
        return self.connection

    def _disconnect_if_broken(self) -> None:
        if self.connection is not None and (self.connection.broken or self.connection.closed):
            self.connection.close()
            self.connection = None
