"""Follows the topics without being part of any group: it commits nothing and takes nothing from the consumer."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, TopicPartition

from retentioncast.core.errors import Retry, StreamBroken
from retentioncast.infra.settings import Settings

POLL_S = 0.5


@dataclass(frozen=True, slots=True)
class TailMessage:
    """A message and where it stood."""

    topic: str
    partition: int
    offset: int
    value: bytes


class Tail:
    """Reads topics from their present ends, or from their beginnings. To be closed."""

    def __init__(
        self, settings: Settings, topics: Sequence[str], from_beginning: bool = False, timeout_s: float = 10.0
    ) -> None:
        self._where = settings.kafka.bootstrap
        self._reader = Consumer(
            {
                "bootstrap.servers": self._where,
                "group.id": f"retentioncast-watch-{uuid.uuid4()}",
                "enable.auto.commit": False,
                "auto.offset.reset": "error",
                "log_level": 0,
            }
        )
        try:
            self._reader.assign(self._places(topics, from_beginning, timeout_s))
        except KafkaException as error:
            self.close()
            raise self._unreachable(error.args[0]) from error

    def messages(self) -> Iterator[TailMessage | None]:
        """Message after message; None when for half a second there was none."""
        while True:
            message = self._reader.poll(POLL_S)
            if message is None:
                yield None
            elif error := message.error():
                self._judge(error)
            elif message.value() is not None:
                yield TailMessage(message.topic(), message.partition(), message.offset(), message.value())

    def close(self) -> None:
        """Let go of the broker."""
        self._reader.close()

    def _places(self, topics: Sequence[str], from_beginning: bool, timeout_s: float) -> list[TopicPartition]:
        known = self._reader.list_topics(timeout=timeout_s).topics
        missing = [topic for topic in topics if topic not in known]
        if missing:
            self.close()
            raise StreamBroken(f"There is no topic {missing[0]}.", "Make the topics with `retentioncast up`.")
        places = [TopicPartition(topic, number) for topic in topics for number in known[topic].partitions]
        for place in places:
            place.offset = OFFSET_BEGINNING if from_beginning else self._end(place, timeout_s)
        return places

    def _end(self, place: TopicPartition, timeout_s: float) -> int:
        return int(self._reader.get_watermark_offsets(place, timeout=timeout_s)[1])

    def _judge(self, error: KafkaError) -> None:
        """Lost connections come back by themselves; anything else ends the watching."""
        if error.code() in (KafkaError._PARTITION_EOF, KafkaError._TRANSPORT):
            return
        raise self._unreachable(error)

    def _unreachable(self, error: KafkaError) -> Retry:
        return Retry(
            f"Kafka at {self._where} cannot be read: {error.str()}.",
            "See `retentioncast status`; start it with `retentioncast up`.",
        )
