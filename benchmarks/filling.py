"""Brings a made-up log into Kafka, and its last state into the shop, so that both tell the same story."""

from __future__ import annotations

from collections.abc import Iterable

from confluent_kafka import Producer

from benchmarks.shop_log import Sale, ShopLog
from retentioncast.core import shop
from retentioncast.infra.postgres import connect
from retentioncast.infra.settings import Settings
from retentioncast.infra.topics import change_topics

COPY = """copy shop.transactions (transaction_id, customer_id, kind, amount, currency, occurred_at, refers_to)
from stdin"""


def fill_topic(settings: Settings, log: ShopLog) -> dict[int, int]:
    """Write all events to the topic of the transactions, as Debezium routes them: messages by partition."""
    topic, partitions = change_topics(settings)[shop.TRANSACTIONS], settings.kafka.partitions
    producer = Producer(
        {"bootstrap.servers": settings.kafka.bootstrap, "compression.type": "lz4", "linger.ms": 5, "acks": "all",
         "enable.idempotence": True, "queue.buffering.max.messages": 1_000_000}
    )  # fmt: skip
    counts = dict.fromkeys(range(partitions), 0)
    for number, event in enumerate(log.events()):
        partition = event.customer_id % partitions
        counts[partition] += 1
        producer.produce(topic, event.value, event.key, partition)
        if number % 10_000 == 0:
            producer.poll(0)
            if len(producer) > 500_000:
                producer.flush()
    if producer.flush(120):
        raise RuntimeError("Kafka did not take all events in time")
    return counts


def fill_shop(settings: Settings, sales: Iterable[Sale]) -> None:
    """The rows as they are at the end; without their customers, whom no statement of the benchmark reads."""
    with connect(settings, "owner") as connection:
        connection.execute("set session_replication_role = replica")
        with connection.cursor().copy(COPY) as copy:
            for sale in sales:
                row = (sale.transaction_id, sale.customer_id, sale.kind, sale.amount, "USD", sale.occurred_at)
                copy.write_row((*row, sale.refers_to))
