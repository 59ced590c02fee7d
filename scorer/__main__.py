"""`python -m scorer`: refits and publishes scores on a period; with --once, one run and what came of it."""

from __future__ import annotations

import argparse
import logging
import signal
import sys
import threading

from retentioncast.core.errors import RetentionCastError
from retentioncast.infra.logs import set_up_logs
from retentioncast.infra.settings import Settings, load_settings
from scorer.as_of import read_as_of
from scorer.bootstrap import make_loop, score_once
from scorer.hierarchical.beside import refits_beside
from scorer.report import as_json, as_text
from scorer.runs import Stopped
from scorer.warm import warm_models

logger = logging.getLogger("scorer")


def main(arguments: list[str] | None = None) -> int:
    """0 after a clean stop or a published run, 130 after Ctrl-C, 1 with one clear line otherwise."""
    asked = _read_arguments(arguments)
    try:
        settings = load_settings()
        set_up_logs(settings.log)
        return _once(settings, asked) if asked.once else _for_ever(settings)
    except RetentionCastError as error:
        logger.error("%s", error, extra={"action": "stop"})
        return 1
    except KeyboardInterrupt:
        logger.info("Interrupted.", extra={"action": "stop"})
        return 130


def _once(settings: Settings, asked: argparse.Namespace) -> int:
    run = score_once(settings, read_as_of(asked.as_of) if asked.as_of else None)
    print(as_json(run) if asked.json else as_text(run))
    return 0 if run.status == "published" else 1


def _for_ever(settings: Settings) -> int:
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    warm_models()
    try:
        with refits_beside(settings, stop):
            make_loop(settings, stop).run()
    except Stopped:
        logger.info("A run was given up; nothing of it was written.", extra={"action": "stop"})
    logger.info("Stopped.", extra={"action": "stop"})
    return 0


def _read_arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m scorer", description=__doc__)
    parser.add_argument("--once", action="store_true", help="one run, then end; status 1 when it was not published")
    parser.add_argument("--as-of", metavar="TIME", help="with --once: as of this day (its end, UTC) or time")
    parser.add_argument("--json", action="store_true", help="with --once: the run's row as JSON")
    asked = parser.parse_args(arguments)
    if not asked.once and (asked.as_of or asked.json):
        parser.error("--as-of and --json go with --once")
    return asked


if __name__ == "__main__":
    sys.exit(main())
