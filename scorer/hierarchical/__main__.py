"""`python -m scorer.hierarchical`: one refit of segment values, then the end; status 1 when it was not published."""

from __future__ import annotations

import logging
import os
import sys

from retentioncast.core.clock import SystemClock
from retentioncast.core.errors import RetentionCastError
from retentioncast.infra.logs import set_up_logs
from retentioncast.infra.postgres import connect_until
from retentioncast.infra.settings import Settings, load_settings
from retentioncast.infra.sql import sql
from scorer.bootstrap import CONNECT_DEADLINE_S, code_version
from scorer.hierarchical.refit import Refit
from scorer.hierarchical.store import SQL, SegmentStore
from scorer.runs import Run

logger = logging.getLogger("scorer.hierarchical")

#: The scores go first: this process takes what they leave of the processor.
_NICE = 10


def main() -> int:
    """0 for a published refit, 1 otherwise."""
    try:
        settings = load_settings()
        set_up_logs(settings.log)
        os.nice(_NICE)
        run = refit_once(settings)
        return 0 if run is not None and run.status == "published" else 1
    except RetentionCastError as error:
        logger.error("%s", error, extra={"action": "refit segments"})
        return 1


def refit_once(settings: Settings) -> Run | None:
    """One refit, and the row that it left in `scores.model_runs`; None while another one is at work."""
    clock = SystemClock()
    with connect_until(settings, "scorer", CONNECT_DEADLINE_S, clock, autocommit=True) as connection:
        row = connection.execute(sql("segments.try_lock", SQL)).fetchone()
        if not (row and row[0]):
            logger.info("Another refit of segment values is at work.", extra={"action": "refit segments"})
            return None
        return Refit(settings.scorer, clock, code_version()).run(SegmentStore(connection))


if __name__ == "__main__":
    sys.exit(main())
