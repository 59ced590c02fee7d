"""The one place where the scorer's parts are chosen and put together."""

from __future__ import annotations

import logging
import os
import threading
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version

import psycopg

from retentioncast.core.clock import Clock, SystemClock
from retentioncast.core.errors import Retry
from retentioncast.infra.postgres import connect, connect_until
from retentioncast.infra.settings import ENV_PREFIX, Settings
from scorer.artefacts import Keeper, KeepingStore
from scorer.loop import Loop
from scorer.runs import Run, Scoring
from scorer.store import PostgresStore, count_purchases, read_growth
from scorer.turn import alone

logger = logging.getLogger(__name__)

#: How long a database that does not answer is waited for; then it is the next run's turn.
CONNECT_DEADLINE_S = 10.0
#: How a run's connection is named in Postgres: there those who wait for their turn read whom they wait for.
SERVICE, BY_HAND = "retentioncast-scorer", "retentioncast-score"


def score_once(settings: Settings, as_of: datetime | None = None, clock: Clock | None = None) -> Run:
    """One run now, as of the stream's time or the one given; the row that it left in `scores.model_runs`."""
    clock = clock or SystemClock()
    keeper = Keeper(settings, clock)
    scoring = Scoring(settings.scorer, clock, code_version())
    return _run(settings, scoring, keeper, as_of, deadline_s=0, name=BY_HAND)


def make_loop(settings: Settings, stop: threading.Event, clock: Clock | None = None) -> Loop:
    """A scorer that runs on the period of the settings until `stop` is set."""
    clock = clock or SystemClock()
    scoring = Scoring(settings.scorer, clock, code_version(), stop.is_set)
    keeper = Keeper(settings, clock)

    def score() -> bool:
        try:
            first = settings.scorer.judging.first_run
            return _run(settings, scoring, keeper, None, CONNECT_DEADLINE_S, first).status == "published"
        except Retry as error:
            logger.warning("No run this time: %s", error, extra={"action": "score"})
            return False

    def growth() -> tuple[int, int]:
        return _growth(settings)

    scorer, asked = settings.scorer, keeper.promoted_elsewhere
    return Loop(score, growth, stop.wait, clock, scorer.period_s, scorer.min_customers, asked=asked)


def code_version() -> str:
    """The package's version, and the commit where RETENTIONCAST_COMMIT says it."""
    try:
        number = version("retentioncast")
    except PackageNotFoundError:
        number = "0+unknown"
    commit = os.environ.get(f"{ENV_PREFIX}COMMIT", "")
    return f"{number}+{commit}" if commit else number


def _run(
    settings: Settings,
    scoring: Scoring,
    keeper: Keeper,
    as_of: datetime | None,
    deadline_s: float,
    judges_first: bool = True,
    name: str = SERVICE,
) -> Run:
    def open_connection() -> psycopg.Connection:
        options = {"autocommit": True, "application_name": name}
        return connect_until(settings, "scorer", deadline_s, scoring.clock, **options)

    with open_connection() as connection, alone(connection, scoring.clock, scoring.stopping):
        count_purchases(connection)
        store = PostgresStore(connection, open_connection, settings.scorer.judging, judges_first)
        run = scoring.run(KeepingStore(store, keeper), as_of)
        if run.status == "failed" and store.judges_next():
            run = scoring.run(KeepingStore(store, keeper), as_of)
        return run


def _growth(settings: Settings) -> tuple[int, int]:
    """Nothing yet while the database does not answer."""
    try:
        with connect(settings, "scorer", autocommit=True) as connection:
            return read_growth(connection, settings.scorer.min_customers)
    except (Retry, psycopg.Error) as error:
        logger.debug("Cannot look yet: %s", error, extra={"action": "look"})
        return 0, 0
