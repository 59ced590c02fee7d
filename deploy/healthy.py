"""Health check of our services: does the one with work to do it? `python deploy/healthy.py consumer|scorer`.

consumer: no topic holds changes while nothing has been applied for a minute.
scorer: it has run a fit (published or not) within its period and a margin.
"""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path
from typing import LiteralString

from confluent_kafka import Consumer, TopicPartition

from retentioncast.core.errors import RetentionCastError
from retentioncast.infra.postgres import connect
from retentioncast.infra.settings import Settings, load_settings
from retentioncast.infra.sql import load_sql
from retentioncast.infra.topics import change_topics

STATEMENTS: dict[str, LiteralString] = load_sql(Path(__file__).parent / "healthy.sql")
PATIENCE = timedelta(seconds=60)
TIMEOUT_S = 5.0


def main(service: str) -> int:
    """0 when healthy, 1 with the reason."""
    try:
        problem = {"consumer": consumer_problem, "scorer": scorer_problem}[service](load_settings())
    except RetentionCastError as error:
        problem = str(error)
    if problem:
        print(problem)
    return 1 if problem else 0


def consumer_problem(settings: Settings) -> str:
    """Why the consumer is not healthy; empty when it is."""
    with connect(settings, "consumer") as connection:
        applied = {(topic, partition): offset for topic, partition, offset in connection.execute(STATEMENTS["offsets"])}
        busy = connection.execute(STATEMENTS["applied_since"], {"patience": PATIENCE}).fetchone()
    behind = sum(end - applied.get(place, 0) for place, end in _ends(settings).items())
    return f"{behind} changes wait; none was applied for {PATIENCE}." if behind > 0 and busy == (False,) else ""


def scorer_problem(settings: Settings) -> str:
    """Why the scorer is not healthy; empty when it is."""
    patience = timedelta(seconds=3 * settings.scorer.period_s) + PATIENCE
    with connect(settings, "scorer") as connection:
        row = connection.execute(STATEMENTS["fitted_since"], {"patience": patience}).fetchone()
    return "" if row == (True,) else f"No fit for {patience}."


def _ends(settings: Settings) -> dict[tuple[str, int], int]:
    reader = Consumer({"bootstrap.servers": settings.kafka.bootstrap, "group.id": "health", "log_level": 0})
    try:
        places = [(topic, p) for topic in change_topics(settings).values() for p in range(settings.kafka.partitions)]
        return {place: reader.get_watermark_offsets(TopicPartition(*place), TIMEOUT_S)[1] for place in places}
    finally:
        reader.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
