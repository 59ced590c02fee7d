"""The values that pass through the consumer: a change with its place in the stream, a batch, a dead letter."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

import msgspec

from consumer.rows import Row

#: (topic, partition)
type Place = tuple[str, int]
#: (LSN of the commit before, LSN of the change): the order of the stream, and the version of a row. The LSN alone
#: will not do: a snapshot's row has none, and a long transaction's is older than what was read meanwhile.
type StreamKey = tuple[int, int]


class Message(Protocol):
    """As much of a Kafka message as the consumer uses."""

    def topic(self) -> str: ...
    def partition(self) -> int: ...
    def offset(self) -> int: ...
    def key(self) -> bytes | None: ...
    def value(self) -> bytes | None: ...


class Change(msgspec.Struct, gc=False):
    """One change of one row. `row` is None when the row was deleted; `key` is None for a TRUNCATE."""

    role: str
    op: str
    key: int | None
    row: Row | None
    version: StreamKey
    #: Event time, epoch seconds; None where the change tells none (a deletion).
    at: float | None
    #: The Kafka message that it came with (`Message`).
    message: Any
    #: A text column was out of line and unchanged: its value has to come from an older version.
    incomplete: bool = False


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message that can never be applied, with the reason, the field and the value."""

    topic: str
    partition: int
    offset: int
    reason: str
    field: str | None
    value: str | None
    key: str | None
    payload: str | None


@dataclass(slots=True)
class Span:
    """How far a batch moves one topic-partition: from `first` to `next`, and the latest event time in it."""

    first: int
    next: int
    stream_time: float | None = None


@dataclass(slots=True)
class Batch:
    """What one transaction applies: the newest version of each row, and the offsets that this accounts for."""

    rows: dict[str, dict[int, Change]] = field(default_factory=dict)
    truncations: dict[str, StreamKey] = field(default_factory=dict)
    spans: dict[Place, Span] = field(default_factory=dict)
    dead: list[DeadLetter] = field(default_factory=list)
    #: In the order of the stream, by partition number: what the online models learn from.
    stream: dict[int, list[Change]] = field(default_factory=dict)
    messages: int = 0
