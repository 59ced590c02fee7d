"""Makes batches of messages: as they come, or brought into the order of the stream first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import groupby

from consumer.decode import Decoder, dead_letter
from consumer.events import Batch, Change, Message, Place
from consumer.fold import add_change, open_span
from consumer.merge import Merger
from retentioncast.core.errors import InvalidMessage


class Assembly:
    """Decodes messages and gathers them in `batch`, which accounts for every offset of the partitions that it holds.

    Args:
        decoders: a decoder for each topic.
        ordered: bring the changes into the order of the stream (the online models want it).
    """

    def __init__(self, decoders: Mapping[str, Decoder], ordered: bool) -> None:
        self.batch = Batch()
        #: Of each topic-partition that is assigned, the offset after the last message that is in a batch.
        self.covered: dict[Place, int] = {}
        self._decoders = decoders
        self._ordered = ordered
        self._merger = Merger()
        #: The offset after the last message that was taken, whether it is in a batch or waits.
        self._read_to: dict[Place, int] = {}

    def assign(self, starts: Mapping[Place, int]) -> None:
        """Start anew with these topic-partitions at these offsets; what was gathered is dropped."""
        self.batch = Batch()
        self._read_to, self.covered = dict(starts), dict(starts)
        self._merger.assign(list(starts))

    def reached(self, place: Place, end: int) -> None:
        """Kafka says that a topic-partition ends here: there may be offsets without a message."""
        if place in self.covered:
            self._read_to[place] = end

    def take(self, messages: Iterable[Message]) -> None:
        """Add messages. They come in runs of one topic-partition each: what is the same for a run is looked up once."""
        take = self._wait if self._ordered else self._gather
        for place, run in groupby(messages, place_of):
            take(place, self._decoders[place[0]], run)

    def release(self, end_of: Callable[[Place], int]) -> None:
        """Gather what waited and whose turn has come; `end_of` tells where a topic-partition ends (-1: not known)."""
        if not self._ordered:
            return
        for place, read_to in self._read_to.items():
            self._merger.mark(place, at_end=0 <= end_of(place) <= read_to)
        for held in self._merger.release():
            self._add(place_of(held.message), held.message.offset(), held.change)

    def waiting(self) -> dict[Place, int]:
        """How many messages of each topic-partition wait for those of others."""
        return {place: self._merger.waiting(place) for place in self._read_to} if self._ordered else {}

    def _wait(self, place: Place, decoder: Decoder, run: Iterable[Message]) -> None:
        for message in run:
            self._merger.push(message, self._decode(decoder, message))
            self._read_to[place] = message.offset() + 1

    def _gather(self, place: Place, decoder: Decoder, run: Iterable[Message]) -> None:
        batch, span = self.batch, open_span(self.batch, place, self.covered[place])
        for message in run:
            change = self._decode(decoder, message)
            if change is not None:
                add_change(batch, change, span, keep_stream=False)
            span.next = message.offset() + 1
            batch.messages += 1
        self.covered[place] = span.next

    def _add(self, place: Place, offset: int, change: Change | None) -> None:
        span = open_span(self.batch, place, self.covered[place])
        span.next = self.covered[place] = offset + 1
        self.batch.messages += 1
        if change is not None:
            add_change(self.batch, change, span, keep_stream=True)

    def _decode(self, decoder: Decoder, message: Message) -> Change | None:
        try:
            return decoder.decode(message)
        except InvalidMessage as error:
            self.batch.dead.append(dead_letter(message, error))
            return None


def place_of(message: Message) -> Place:
    """The topic-partition that a message comes from."""
    return message.topic(), message.partition()
