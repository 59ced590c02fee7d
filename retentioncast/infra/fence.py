"""A fence in the stream: tells when everything the shop had committed at one moment has reached analytics.

The log position of the shop cannot be found again in analytics (a quiet partition tells nothing), so the fence is
followed by two exact steps: Debezium's slot has passed the position, then the consumer's offsets in Postgres have
passed the ends that the topics had at that time.
"""

from __future__ import annotations

import logging
from typing import Protocol

from confluent_kafka import Consumer, KafkaException, TopicPartition

from retentioncast.core.errors import Retry
from retentioncast.core.shop import ROLES, ShopNames
from retentioncast.infra.postgres import connect
from retentioncast.infra.settings import Settings
from retentioncast.infra.sql import sql

logger = logging.getLogger(__name__)

Partition = tuple[str, int]


class Fence(Protocol):
    """Set once (again: anew), then asked whether the stream has passed it."""

    def set(self) -> None:
        """Everything committed until now is before the fence."""

    def passed(self) -> bool:
        """Whether all of it has been applied."""

    def behind(self) -> str:
        """What is still waited for, in words."""


class StreamFence:
    """The fence in the running stack: the slot, then Kafka's ends, then analytics.offsets."""

    def __init__(self, settings: Settings, names: ShopNames | None = None, timeout_s: float = 10.0) -> None:
        names = names or ShopNames()
        self._settings = settings
        self._topics = [names.topic(settings.kafka.topic_prefix, role) for role in ROLES]
        self._timeout_s = timeout_s
        self._lsn = ""
        self._ends: dict[Partition, int] | None = None
        self._missing = 0

    def set(self) -> None:
        with connect(self._settings, "reader") as connection:
            row = connection.execute(sql("verify.written_to")).fetchone()
        assert row is not None
        self._lsn, self._ends = row[0], None

    def passed(self) -> bool:
        if self._ends is None and self._slot_passed():
            self._ends = ends_of(self._settings, self._topics, self._timeout_s)
        if self._ends is None:
            return False
        applied = self._applied()
        self._missing = sum(max(0, end - applied.get(where, 0)) for where, end in self._ends.items())
        return self._missing == 0

    def behind(self) -> str:
        if self._ends is None:
            return f"Debezium has not passed {self._lsn} yet"
        return f"the consumer has {self._missing:,} changes to apply"

    def _slot_passed(self) -> bool:
        values = {"lsn": self._lsn, "slot": self._settings.connect.slot}
        with connect(self._settings, "reader") as connection:
            row = connection.execute(sql("verify.passed_by_slot"), values).fetchone()
        if row is None:
            logger.warning(
                "There is no replication slot %r: nothing new comes from the shop.",
                self._settings.connect.slot, extra={"action": "fence"},
            )  # fmt: skip
        return row is None or row[0] is True

    def _applied(self) -> dict[Partition, int]:
        with connect(self._settings, "reader") as connection:
            rows = connection.execute(sql("verify.applied"))
            return {(topic, partition): offset for topic, partition, offset in rows}


def ends_of(settings: Settings, topics: list[str], timeout_s: float) -> dict[Partition, int]:
    """The offset after the last message of each partition that holds any; Retry when no broker answers."""
    config = {"bootstrap.servers": settings.kafka.bootstrap, "group.id": "unused", "log_level": 0}
    reader = Consumer(config)
    try:
        known = reader.list_topics(timeout=timeout_s).topics
        there = [topic for topic in topics if topic in known]
        places = [TopicPartition(topic, number) for topic in there for number in known[topic].partitions]
        ends = {}
        for place in places:
            start, end = reader.get_watermark_offsets(place, timeout=timeout_s)
            if end > start:
                ends[place.topic, place.partition] = end
        return ends
    except KafkaException as error:
        raise Retry(
            f"Kafka at {settings.kafka.bootstrap} does not answer: {error.args[0].str()}.",
            "See `retentioncast status`; start it with `retentioncast up`.",
        ) from error
    finally:
        reader.close()
