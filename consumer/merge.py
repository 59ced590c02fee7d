"""Puts the changes of a partition number, which come through four topics, back into the order of the stream.

The online models need this: what they learn depends on the order, and a restarted consumer must learn the same.
A change is released when no topic can still bring an earlier one: each has either shown a later change or is
read to its end. Debezium writes in stream order through one producer, so this waits only while catching up.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from consumer.events import Change, Message, Place, StreamKey

#: (order in the stream, topic, offset): total, so that ties fall the same way each time.
type MergeKey = tuple[StreamKey, str, int]


@dataclass(slots=True)
class Held:
    """A decoded message that waits; `change` is None where the message changes nothing."""

    key: MergeKey
    message: Message
    change: Change | None


@dataclass(slots=True)
class Lane:
    """One topic-partition: what waits, the highest key seen, and whether all that there is has been read."""

    waiting: deque[Held] = field(default_factory=deque)
    highest: StreamKey = (-1, -1)
    at_end: bool = False

    def push(self, message: Message, change: Change | None) -> None:
        """Add a message. Its key never goes back: a message sent twice stays behind what was sent before it."""
        if change is not None and change.version > self.highest:
            self.highest = change.version
        self.waiting.append(Held((self.highest, message.topic(), message.offset()), message, change))


class Merger:
    """The lanes of all assigned partitions, merged by partition number."""

    def __init__(self) -> None:
        self._groups: dict[int, dict[str, Lane]] = {}

    def assign(self, places: list[Place]) -> None:
        """Start anew with these topic-partitions."""
        self._groups = {}
        for topic, partition in places:
            self._groups.setdefault(partition, {})[topic] = Lane()

    def push(self, message: Message, change: Change | None) -> None:
        """Let a message wait for its turn."""
        lane = self._groups[message.partition()][message.topic()]
        lane.push(message, change)
        lane.at_end = False

    def mark(self, place: Place, at_end: bool) -> None:
        """Say whether this topic-partition is read to its end."""
        self._groups[place[1]][place[0]].at_end = at_end

    def release(self) -> list[Held]:
        """All that can go, each partition number in the order of the stream."""
        return [held for _, lanes in sorted(self._groups.items()) for held in _release(lanes)]

    def waiting(self, place: Place) -> int:
        """How many messages of this topic-partition wait."""
        return len(self._groups[place[1]][place[0]].waiting)

    def pending(self) -> int:
        """How many messages wait in all."""
        return sum(len(lane.waiting) for lanes in self._groups.values() for lane in lanes.values())


def _release(lanes: dict[str, Lane]) -> list[Held]:
    open_lanes = [lane.highest for lane in lanes.values() if not lane.at_end]
    free: list[Held] = []
    for lane in lanes.values():
        while lane.waiting and (not open_lanes or lane.waiting[0].key[0] <= min(open_lanes)):
            free.append(lane.waiting.popleft())
    free.sort(key=lambda held: held.key)
    return free
