"""Copies the next large batch to the server while the one before it is still being applied."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field

import psycopg

from consumer.events import Batch
from consumer.staging import MOST_AS_JSON, Sources, stage_rows
from retentioncast.core.errors import Retry

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Staged:
    """A batch, and the connection whose open transaction already holds its rows; none: it is staged when written."""

    batch: Batch
    connection: psycopg.Connection | None = None
    sources: Sources = field(default_factory=dict)
    #: Leaving it commits, or takes back.
    transaction: ExitStack = field(default_factory=ExitStack)


class Stager:
    """Two connections that take turns: one is copied into while the other is applied.

    A copied batch waits in an open transaction that has touched temporary tables only: it holds no lock, and sees
    nothing before it begins to apply.
    """

    def __init__(self, connect: Callable[[], psycopg.Connection]) -> None:
        self._connect = connect
        self._connections: list[psycopg.Connection | None] = [None, None]
        self._turn = 0
        self._thread = ThreadPoolExecutor(1, "stager")

    def start(self, batch: Batch) -> Future[Staged]:
        """Begin to copy a batch. The result is there in any case: what could not be copied comes back as it was."""
        if batch.messages <= MOST_AS_JSON:
            done: Future[Staged] = Future()
            done.set_result(Staged(batch))
            return done
        return self._thread.submit(self._stage, batch)

    def _stage(self, batch: Batch) -> Staged:
        staged = Staged(batch)
        try:
            connection = self._next()
            staged.transaction.enter_context(connection.transaction())
            staged.sources = stage_rows(connection, batch)
            staged.connection = connection
        except (psycopg.Error, Retry) as error:
            logger.info("A batch was not copied ahead: %s", error, extra={"action": "stage"})
            _take_back(staged, error)
        return staged

    def _next(self) -> psycopg.Connection:
        self._turn = 1 - self._turn
        connection = self._connections[self._turn]
        if connection is None or connection.closed or connection.broken:
            connection = self._connections[self._turn] = self._connect()
        return connection


def _take_back(staged: Staged, error: Exception) -> None:
    try:
        staged.transaction.__exit__(type(error), error, error.__traceback__)
    except (psycopg.Error, Retry):
        logger.debug("Taken back with its connection.", extra={"action": "stage"})
