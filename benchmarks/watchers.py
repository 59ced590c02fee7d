"""The processes of the freshness benchmark: one writes to the shop, one sees the messages, one sees the tables.

Each is a process of its own, so that none waits for another's turn of the interpreter. Times are those of the
machine's monotonic clock, which all processes share.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.synchronize import Event
from pathlib import Path

import msgspec
import psycopg
from confluent_kafka import Consumer, TopicPartition

from consumer.bootstrap import kafka_config
from retentioncast.infra.postgres import connect
from retentioncast.infra.settings import Settings
from retentioncast.infra.sql import sql

SQL = Path(__file__).parent / "sql"
#: Connections that write, so that a durable commit's wait for the disk does not bound the rate.
WRITERS = 4
#: How often the tables are looked at: the error of a delay is at most this and one small query.
LOOK_EVERY_S = 0.001


@dataclass(frozen=True, slots=True)
class Load:
    """So many single-row commits a second for so long, with ids from `first_id` on."""

    rate: int
    seconds: float
    customers: int
    first_id: int


def write_shop(settings: Settings, load: Load) -> list[tuple[int, float]]:
    """Keep the rate; for each transaction id when its commit had returned."""
    begun, done = time.monotonic() + 0.2, list[list[tuple[int, float]]]()
    threads = []
    for number in range(WRITERS):
        done.append([])
        threads.append(threading.Thread(target=_write, args=(settings, load, number, begun, done[number])))
        threads[-1].start()
    for thread in threads:
        thread.join()
    return [pair for each in done for pair in each]


def _write(settings: Settings, load: Load, number: int, begun: float, done: list[tuple[int, float]]) -> None:
    with connect(settings, "simulator", autocommit=True) as connection:
        connection.prepare_threshold = 0
        for turn in range(number, int(load.rate * load.seconds), WRITERS):
            if (early := begun + turn / load.rate - time.monotonic()) > 0:
                time.sleep(early)
            key = load.first_id + turn
            values = {"transaction_id": key, "customer_id": key % load.customers + 1}
            connection.execute(sql("freshness.sell", SQL), values)
            done.append((key, time.monotonic()))


def watch_topic(settings: Settings, starts: dict[int, int], topic: str, ready: Event, stop: Event, file: Path) -> None:
    """A bare consumer with our consumer's settings: (transaction id, partition, offset, when seen) into a file."""
    source = Consumer({**kafka_config(settings), "group.id": "bench-bare", "enable.partition.eof": False})
    source.assign([TopicPartition(topic, partition, offset) for partition, offset in starts.items()])
    seen = []
    while not stop.is_set():
        message = source.poll(0.2)
        ready.set()
        if message is not None and message.error() is None:
            seen.append((message.key(), message.partition(), message.offset(), time.monotonic()))
    source.close()
    rows = [(msgspec.json.decode(key)["transaction_id"], *rest) for key, *rest in seen]
    file.write_bytes(msgspec.json.encode(rows))


def watch_tables(settings: Settings, topic: str, ready: Event, stop: Event, file: Path) -> None:
    """Look at our offsets, which move in the transaction that changes customer_rfm: (when, partition, next offset)."""
    seen: list[tuple[float, int, int]] = []
    last: dict[int, int] = {}
    with connect(settings, "reader", autocommit=True) as connection:
        connection.prepare_threshold = 0
        while not stop.is_set():
            found = _progress(connection, topic)
            now = time.monotonic()
            seen.extend((now, *each) for each in found if last.get(each[0]) != each[1])
            last.update(found)
            ready.set()
            time.sleep(LOOK_EVERY_S)
    file.write_bytes(msgspec.json.encode(seen))


def _progress(connection: psycopg.Connection, topic: str) -> Sequence[tuple[int, int]]:
    return connection.execute(sql("freshness.progress", SQL), {"topic": topic}).fetchall()
