"""One scorer at a time, in turn: the service, and whoever asks for a run by hand.

The turn is kept from the snapshot to the publishing, the fitting between included: a refit is judged against the run in
force, and predictions are kept once in so many days, so a run that another one overtakes would have been judged against
scores that nobody sees any more, and its work thrown away.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg.pq import TransactionStatus

from retentioncast.core.clock import Clock
from retentioncast.core.errors import Retry
from retentioncast.infra.sql import sql
from scorer.runs import Stopped
from scorer.told import told

logger = logging.getLogger(__name__)

SQL = Path(__file__).parent / "sql"
#: A judged refit of a million customers takes minutes, on a busy machine more.
PATIENCE_S = 15 * 60.0
#: How often those who wait are told for whom.
TELL_S = 10.0
_PAUSE_S = 0.2
#: How long the server may take to hear that a statement is to end.
_CANCEL_S = 5.0
_WORK, _NEXT = 731902, 731904


@contextmanager
def alone(
    connection: psycopg.Connection,
    clock: Clock,
    stopping: Callable[[], bool] = lambda: False,
    patience_s: float = PATIENCE_S,
) -> Iterator[None]:
    """No other scorer reads or writes meanwhile.

    Who waits holds the place of the next: a service that refits without a pause would else take every turn itself.

    Raises:
        Retry: another one kept at it for longer than `patience_s`.
        Stopped: asked to stop while waiting.
    """
    waiting = _Waiting(connection, clock, stopping, clock.monotonic_s(), patience_s)
    waiting.take(_NEXT)
    try:
        waiting.take(_WORK)
    finally:
        _give_back(connection, _NEXT)
    try:
        yield
    finally:
        _give_back(connection, _WORK)


@dataclass(slots=True)
class _Waiting:
    """For a place, and for how long so far."""

    connection: psycopg.Connection
    clock: Clock
    stopping: Callable[[], bool]
    since_s: float
    patience_s: float
    _tell_at_s: float = 0.0

    def take(self, lock: int) -> None:
        """Raises Retry when patience ends, Stopped when asked to stop."""
        while not _try_lock(self.connection, lock):
            waited_s = self.clock.monotonic_s() - self.since_s
            if self.stopping():
                raise Stopped
            if waited_s >= self.patience_s:
                told = f"Another scorer kept at work for {waited_s:.0f} s: {_holder(self.connection)}."
                raise Retry(told, "Let it finish, or end it, then try again.")
            if waited_s >= self._tell_at_s:
                message = "Another scorer is at work: %s; waiting for it to finish (for %.0f s so far)."
                logger.info(message, _holder(self.connection), waited_s, extra={"action": "lock"})
                self._tell_at_s = waited_s + TELL_S
            self.clock.sleep(_PAUSE_S)


def _holder(connection: psycopg.Connection) -> str:
    """Who it is waited for, by the name that it gave Postgres."""
    with told("look who is at work"):
        row = connection.execute(sql("turn.holder", SQL), {"locks": [_WORK, _NEXT]}).fetchone()
    if row is None:
        return "it is just leaving"
    name, session, since, seconds = row
    return f"{name}, session {session} of Postgres, connected since {since:%Y-%m-%d %H:%M:%S %Z} ({seconds:.0f} s)"


def _try_lock(connection: psycopg.Connection, lock: int) -> bool:
    with told("take its turn"):
        row = connection.execute(sql("turn.try_lock", SQL), {"lock": lock}).fetchone()
    return bool(row and row[0])


def _give_back(connection: psycopg.Connection, lock: int) -> None:
    """A session that is over has given it back already; one that Ctrl-C found in the middle of a statement ends."""
    if connection.info.transaction_status == TransactionStatus.ACTIVE:
        connection.cancel_safe(timeout=_CANCEL_S)
        connection.close()
    if not connection.closed:
        connection.execute(sql("turn.unlock", SQL), {"lock": lock})
