"""A Kafka consumer in memory: delivers topic-partitions in fetches of random size and order, as a broker may."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from typing import Any

from confluent_kafka import TopicPartition

from tests.stream import FakeMessage

type Place = tuple[str, int]


class FakeSource:
    """Stands in for confluent_kafka.Consumer.

    Args:
        messages: what the topics hold.
        places: all topic-partitions that are assigned.
        seed: of the order in which fetches come.
    """

    def __init__(self, messages: Iterable[FakeMessage], places: list[Place], seed: int) -> None:
        self._logs: dict[Place, list[FakeMessage]] = {place: [] for place in places}
        for each in messages:
            self._logs[each.topic(), each.partition()].append(each)
        self._random = random.Random(seed)
        self._at: dict[Place, int] = {}
        self._paused: set[Place] = set()
        self._on_assign: Callable[..., None] | None = None
        self.on_idle: Callable[[], None] = lambda: None
        self.closed = False

    def subscribe(self, topics: list[str], **callbacks: Any) -> None:
        self._on_assign, self._on_revoke = callbacks["on_assign"], callbacks["on_revoke"]

    def assign(self, partitions: list[TopicPartition]) -> None:
        self._at = {(each.topic, each.partition): each.offset for each in partitions}

    def poll(self, timeout: float) -> FakeMessage | None:
        if self._on_assign is not None:
            callback, self._on_assign = self._on_assign, None
            callback(self, [TopicPartition(*place) for place in self._logs])
        found = self.consume(1, timeout)
        return found[0] if found else None

    def consume(self, num_messages: int, timeout: float) -> list[FakeMessage]:
        ready = [place for place, at in self._at.items() if at < len(self._logs[place]) and place not in self._paused]
        if not ready:
            self.on_idle()
            return []
        place = self._random.choice(ready)
        size = min(self._random.choice([1, 3, 40]), num_messages)
        found = self._logs[place][self._at[place] : self._at[place] + size]
        self._at[place] += len(found)
        return found

    def ends(self) -> dict[Place, int]:
        """Where each topic-partition that holds anything ends."""
        return {place: len(log) for place, log in self._logs.items() if log}

    def get_watermark_offsets(self, partition: TopicPartition, cached: bool = False) -> tuple[int, int]:
        return 0, len(self._logs[partition.topic, partition.partition])

    def pause(self, partitions: list[TopicPartition]) -> None:
        self._paused |= {(each.topic, each.partition) for each in partitions}

    def resume(self, partitions: list[TopicPartition]) -> None:
        self._paused -= {(each.topic, each.partition) for each in partitions}

    def commit(self, **_: Any) -> None:
        pass

    def close(self) -> None:
        if self._at:
            self._on_revoke(self, [TopicPartition(*place) for place in self._at])
        self.closed = True
