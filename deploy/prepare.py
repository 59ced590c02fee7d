"""One-shot step of docker-compose.yml: the schema, then the topics. It can be run again at any time."""

from __future__ import annotations

import logging
import sys

from retentioncast.core.clock import SystemClock
from retentioncast.core.errors import RetentionCastError, Retry
from retentioncast.infra.logs import set_up_logs
from retentioncast.infra.migrate import migrate
from retentioncast.infra.settings import Settings, load_settings
from retentioncast.infra.topics import ensure_topics

logger = logging.getLogger("prepare")
KAFKA_DEADLINE_S = 90.0


def main() -> int:
    """0 when schema and topics are there, 1 with one clear line otherwise."""
    try:
        settings = load_settings()
        set_up_logs(settings.log)
        migrate(settings)
        _make_topics(settings)
    except RetentionCastError as error:
        logger.error("%s", error, extra={"action": "prepare"})
        return 1
    return 0


def _make_topics(settings: Settings) -> None:
    clock = SystemClock()
    give_up = clock.monotonic_s() + KAFKA_DEADLINE_S
    while True:
        try:
            ensure_topics(settings)
            return
        except Retry:
            if clock.monotonic_s() > give_up:
                raise
            clock.sleep(1)


if __name__ == "__main__":
    sys.exit(main())
