"""The reader: a thread that reads and decodes ahead while the writer writes."""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from confluent_kafka import KafkaError, KafkaException, TopicPartition

from consumer.assembly import Assembly, place_of
from consumer.decode import Decoder
from consumer.events import Batch, Message, Place, Span
from retentioncast.core.clock import Clock
from retentioncast.core.errors import Retry, StreamBroken

logger = logging.getLogger(__name__)

#: How long one look for a first message takes; a stop is noticed after at most this long.
_POLL_S = 0.2
_TELL_EVERY_S = 1.0
_FATAL = {KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE}


class Source(Protocol):
    """As much of confluent_kafka.Consumer as the reader uses."""

    def subscribe(self, topics: list[str], **callbacks: Any) -> None: ...
    def assign(self, partitions: list[TopicPartition]) -> None: ...
    def poll(self, timeout: float) -> Any: ...
    def consume(self, num_messages: int, timeout: float) -> list[Any]: ...
    def get_watermark_offsets(self, partition: TopicPartition, cached: bool = False) -> tuple[int, int]: ...
    def pause(self, partitions: list[TopicPartition]) -> None: ...
    def resume(self, partitions: list[TopicPartition]) -> None: ...
    def commit(self, **kwargs: Any) -> Any: ...
    def close(self) -> None: ...


class Reader(threading.Thread):
    """Reads, decodes, merges and folds; hands batches over through a queue.

    Args:
        source: the Kafka consumer.
        decoders: a decoder for each topic that is to be read.
        starts: tells where assigned partitions begin, when they are assigned (and readies their models).
        batch_size: the most messages of a batch.
        queue_batches: how many batches may wait for the writer.
        ordered: bring the changes into the order of the stream (the online models want it).
        clock: paces what Kafka is told.
    """

    def __init__(
        self,
        source: Source,
        decoders: Mapping[str, Decoder],
        starts: Callable[[list[Place]], dict[Place, int]],
        batch_size: int,
        queue_batches: int,
        ordered: bool,
        clock: Clock,
    ) -> None:
        super().__init__(name="reader", daemon=True)
        self.batches: queue.Queue[Batch] = queue.Queue(queue_batches)
        #: Spans that the writer has committed. The reader tells Kafka, so that its tools show the lag; the truth is
        #: in Postgres. (It must be the reader: a commit from another thread waits for poll to return.)
        self.told: queue.SimpleQueue[dict[Place, Span]] = queue.SimpleQueue()
        self.failure: BaseException | None = None
        self._source = source
        self._topics = list(decoders)
        self._assembly = Assembly(decoders, ordered)
        self._starts = starts
        self._batch_size = batch_size
        self._stopping = threading.Event()
        #: How often partitions have been given to us or taken away.
        self._assignments = 0
        self._paused: set[Place] = set()
        self._clock = clock
        self._told_at = 0.0

    def stop(self) -> None:
        """Read no more. What was read and not yet handed over is dropped: it will be read again."""
        self._stopping.set()

    def run(self) -> None:
        """Read until stopped; a failure is kept in `failure` for the writer to find."""
        try:
            self._source.subscribe(self._topics, on_assign=self._assigned, on_revoke=self._revoked)
            while not self._stopping.is_set():
                self._assembly.take(self._read())
                self._assembly.release(self._end_of)
                self._balance()
                self._hand_over()
                self._tell_kafka()
        except BaseException as error:  # noqa: BLE001 - the writer raises it
            self.failure = error
        finally:
            self._source.close()

    def _read(self) -> list[Message]:
        """What there is now; waits a little when there is nothing and nothing is left to hand over."""
        batch = self._assembly.batch
        room = self._batch_size - batch.messages
        if room <= 0:
            return []
        first = self._source.poll(0.001 if batch.messages else _POLL_S)
        if first is None:
            return []
        before, rest = self._assignments, self._source.consume(room, 0)
        if self._assignments == before:
            return self._checked([first, *rest])
        self._begin()  # Partitions have changed hands meanwhile: some of these messages may be of the time before.
        return []

    def _checked(self, messages: list[Any]) -> list[Message]:
        good = []
        for message in messages:
            if (error := message.error()) is None:
                good.append(message)
            elif error.code() in _FATAL:
                raise StreamBroken(f"Kafka cannot go on from where we are: {error.str()}.", "See docs/operations.md.")
            elif error.fatal():
                raise KafkaException(error)
            elif error.code() == KafkaError._PARTITION_EOF:
                self._assembly.reached(place_of(message), message.offset())
            else:
                logger.warning("Kafka: %s", error.str(), extra={"action": "read"})
        return good

    def _end_of(self, place: Place) -> int:
        return self._source.get_watermark_offsets(TopicPartition(*place), cached=True)[1]

    def _balance(self) -> None:
        """Pause topics that are far ahead of the others, so that what waits stays within bounds."""
        waiting = self._assembly.waiting()
        ahead = {place for place, count in waiting.items() if count > 2 * self._batch_size}
        if far := ahead - self._paused:
            self._source.pause([TopicPartition(*place) for place in far])
        if near := {place for place in self._paused if not waiting[place]}:
            self._source.resume([TopicPartition(*place) for place in near])
        self._paused = (self._paused | far) - near

    def _hand_over(self) -> None:
        """Give the batch to the writer as soon as there is room in the queue; until then go on filling it."""
        batch = self._assembly.batch
        if not batch.messages:
            return
        full = batch.messages >= self._batch_size
        try:
            self.batches.put(batch, block=full, timeout=_POLL_S)
        except queue.Full:
            return
        self._assembly.batch = Batch()

    def _tell_kafka(self) -> None:
        if self.told.empty() or self._clock.monotonic_s() - self._told_at < _TELL_EVERY_S:
            return
        self._told_at, done = self._clock.monotonic_s(), dict[Place, int]()
        while not self.told.empty():
            done.update({place: span.next for place, span in self.told.get().items()})
        with contextlib.suppress(KafkaException):
            offsets = [TopicPartition(*place, offset) for place, offset in done.items()]
            self._source.commit(offsets=offsets, asynchronous=True)

    def _assigned(self, _source: Source, partitions: list[TopicPartition]) -> None:
        self._assignments += 1
        places = [(each.topic, each.partition) for each in partitions]
        self._paused = set()
        self._assembly.assign(self._starts(places))
        self._begin()
        logger.info("Reading %d topic-partitions.", len(places), extra={"action": "assign", "places": places})

    def _begin(self) -> None:
        """Have Kafka send what no batch has yet: after an assignment, all from its start on."""
        if covered := self._assembly.covered:
            self._source.assign([TopicPartition(*place, offset) for place, offset in covered.items()])

    def _revoked(self, _source: Source, partitions: list[TopicPartition]) -> None:
        """Let the writer finish what it has; what is only read is dropped and will be read by the next."""
        self._assignments += 1
        self._paused = set()
        self._assembly.assign({})
        self.batches.join()
        logger.info("Gave back %d topic-partitions.", len(partitions), extra={"action": "revoke"})


def unreachable(error: KafkaException, bootstrap: str) -> Retry:
    """What to say when Kafka does not answer."""
    return Retry(f"Kafka at {bootstrap} does not answer: {error}.", "See `retentioncast status`.")
