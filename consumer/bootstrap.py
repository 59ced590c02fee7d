"""The one place where the consumer's parts are chosen and put together."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

import psycopg
from confluent_kafka import Consumer, KafkaException, TopicCollection, TopicPartition
from confluent_kafka.admin import AdminClient

from consumer.ahead import Stager
from consumer.decode import decoders
from consumer.events import Place
from consumer.loop import Loop
from consumer.positions import Range, starting_offsets
from consumer.reader import Reader, unreachable
from consumer.store import prepare
from consumer.writer import Writer
from retentioncast.core.clock import Clock, SystemClock
from retentioncast.core.shop import ShopNames
from retentioncast.infra.postgres import connect_until
from retentioncast.infra.settings import Settings

if TYPE_CHECKING:
    from consumer.online import OnlineModels

logger = logging.getLogger(__name__)

_TIMEOUT_S = 10.0
#: How long a thread may compute while another wants to (Python's own 5 ms): the thread that copies rows waits for this
#: long after each block that it has sent, some hundred times a batch, while the reader decodes. A fifth of the time.
SWITCH_S = 0.0005


def make_loop(settings: Settings, names: ShopNames | None = None, clock: Clock | None = None) -> Loop:
    """A consumer ready to run: reader, writer and models wired to the Postgres and Kafka of the settings."""
    names, clock = names or ShopNames(), clock or SystemClock()
    source = Consumer(kafka_config(settings))
    online = _online_models() if settings.consumer.online.enabled else None
    reader = Reader(
        source,
        decoders(names, settings.kafka.topic_prefix),
        _starts(settings, source, online, clock),
        settings.consumer.batch_size,
        settings.consumer.queue_batches,
        ordered=online is not None,
        clock=clock,
    )
    writer = Writer(make_connector(settings, clock), online, clock, settings.consumer.retry_deadline_s)
    return Loop(reader, writer, Stager(make_connector(settings, clock)), clock)


def _online_models() -> OnlineModels:
    from consumer.online import OnlineModels
    from retentioncast.models.online import OnlineConfig

    return OnlineModels(OnlineConfig(), {})


def kafka_config(settings: Settings) -> dict[str, object]:
    """librdkafka's settings. Offsets are Postgres's business; Kafka is told them only so that its tools show lag."""
    config: dict[str, object] = {
        "bootstrap.servers": settings.kafka.bootstrap,
        "group.id": settings.consumer.group,
        "enable.auto.commit": False,
        "enable.partition.eof": True,
        # Never jump: an offset that Kafka no longer has stops the consumer, which says so.
        "auto.offset.reset": "error",
        # All four tables of a customer on one consumer: same partition number, same member.
        "partition.assignment.strategy": "range",
        "session.timeout.ms": 10_000,
        # Freshness: answer a fetch as soon as there is a byte; ask again soon when there was none.
        "fetch.min.bytes": 1,
        "fetch.wait.max.ms": 100,
        "fetch.message.max.bytes": 4 * 1024 * 1024,
        "queued.min.messages": 100_000,
        "queued.max.messages.kbytes": 256 * 1024,
    }
    if settings.consumer.instance:
        config["group.instance.id"] = settings.consumer.instance
    return config


def make_connector(settings: Settings, clock: Clock) -> Callable[[], psycopg.Connection]:
    """How a consumer opens its connection to Postgres: waited for until the retry deadline, prepared for batches."""

    def open_connection() -> psycopg.Connection:
        connection = connect_until(settings, "consumer", settings.consumer.retry_deadline_s, clock)
        prepare(connection)
        return connection

    return open_connection


def _starts(
    settings: Settings, source: Consumer, online: OnlineModels | None, clock: Clock
) -> Callable[[list[Place]], dict[Place, int]]:
    """What happens at an assignment: offsets are read and checked, models are loaded."""

    def start(places: list[Place]) -> dict[Place, int]:
        with connect_until(settings, "consumer", _TIMEOUT_S, clock, autocommit=True) as connection:
            ids = topic_ids(settings, sorted({topic for topic, _ in places}))
            starts = starting_offsets(connection, places, lambda place: _range(source, place, ids))
            if online is not None:
                online.load(connection, sorted({partition for _, partition in places}))
        return starts

    return start


def topic_ids(settings: Settings, topics: list[str]) -> dict[str, str]:
    """Kafka's own id of each topic: a topic that is deleted and made again has another."""
    admin = AdminClient({"bootstrap.servers": settings.kafka.bootstrap})
    try:
        found = admin.describe_topics(TopicCollection(topics), request_timeout=_TIMEOUT_S)
        return {topic: str(future.result().topic_id) for topic, future in found.items()}
    except KafkaException as error:
        raise unreachable(error, settings.kafka.bootstrap) from error


def _range(source: Consumer, place: Place, ids: dict[str, str]) -> Range:
    low, high = source.get_watermark_offsets(TopicPartition(*place), timeout=_TIMEOUT_S)
    return Range(low, high, ids[place[0]])
