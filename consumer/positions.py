"""Where to read on: the offsets that Postgres holds, checked against what Kafka still has."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import psycopg

from consumer.events import Place, Span
from consumer.staging import SQL
from retentioncast.core.errors import StreamBroken
from retentioncast.infra.sql import sql

_NEXT_STEP = (
    "Nothing was skipped. Compare with `retentioncast verify`, then start the tables anew from the shop: "
    "docs/operations.md, 'When the stream is broken'."
)


@dataclass(frozen=True, slots=True)
class Range:
    """What Kafka holds of a topic-partition: the first offset, the next to be written, the topic's id."""

    low: int
    high: int
    topic_id: str


def starting_offsets(
    connection: psycopg.Connection, places: list[Place], kafka: Callable[[Place], Range]
) -> dict[Place, int]:
    """The next offset of each topic-partition; a new one starts at the topic's first message.

    Raises:
        StreamBroken: messages that were not applied are gone, or the topic is another one than it was.
    """
    known = _read(connection, places)
    starts = {}
    for place in places:
        found = kafka(place)
        if place not in known:
            known[place] = (_begin(connection, place, found), found.topic_id)
        starts[place] = _checked(place, known[place], found)
    return starts


def _read(connection: psycopg.Connection, places: list[Place]) -> dict[Place, tuple[int, str]]:
    parameters = {"topics": [place[0] for place in places], "partitions": [place[1] for place in places]}
    rows = connection.execute(sql("progress.read_offsets", SQL), parameters).fetchall()
    return {(topic, partition): (next_offset, topic_id) for topic, partition, next_offset, topic_id in rows}


def _begin(connection: psycopg.Connection, place: Place, found: Range) -> int:
    if found.low > 0:
        raise StreamBroken(f"{_name(place)} begins at offset {found.low}: what came before is gone.", _NEXT_STEP)
    parameters = {"topic": place[0], "partition": place[1], "next_offset": 0, "topic_id": found.topic_id}
    connection.execute(sql("progress.begin_partition", SQL), parameters)
    return _read(connection, [place])[place][0]


def _checked(place: Place, known: tuple[int, str], found: Range) -> int:
    next_offset, topic_id = known
    if topic_id != found.topic_id:
        raise StreamBroken(f"{_name(place)} was re-created: it was {topic_id}, now {found.topic_id}.", _NEXT_STEP)
    if next_offset < found.low:
        raise StreamBroken(
            f"{_name(place)}: offset {next_offset} is next, but Kafka holds only those from {found.low} on.",
            _NEXT_STEP,
        )
    if next_offset > found.high:
        raise StreamBroken(
            f"{_name(place)}: offset {next_offset} is next, but Kafka ends at {found.high}: it has lost messages.",
            _NEXT_STEP,
        )
    return next_offset


def _name(place: Place) -> str:
    return f"Topic {place[0]}, partition {place[1]}"


def committed(connection: psycopg.Connection, spans: dict[Place, Span]) -> bool:
    """Whether exactly this batch is in already: its commit went through, but the answer was lost on the way."""
    known = _read(connection, list(spans))
    return all(known.get(place, (-1, ""))[0] == span.next for place, span in spans.items())
