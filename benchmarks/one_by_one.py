"""`python -m benchmarks.one_by_one COUNT`: a consumer that commits each event by itself, as many do.

It decodes, upserts the row, adds to the customer's sums and moves the offset, durably. To its favour it leaves out
what it could not do right without more work (refunds, lost orders). Prints commits (monotonic seconds, rows).
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
from confluent_kafka import Consumer, TopicPartition

from consumer.bootstrap import kafka_config
from consumer.decode import Decoder
from consumer.events import Change
from consumer.rows import Transaction
from retentioncast.core import shop
from retentioncast.core.shop import ShopNames
from retentioncast.infra.postgres import connect
from retentioncast.infra.settings import Settings, load_settings
from retentioncast.infra.sql import sql
from retentioncast.infra.topics import change_topics

SQL = Path(__file__).parent / "sql"


def changes(settings: Settings, count: int) -> Iterator[Change]:
    """The first changes of partition 0."""
    source, decoder = Consumer(kafka_config(settings)), Decoder(shop.TRANSACTIONS, ShopNames())
    source.assign([TopicPartition(change_topics(settings)[shop.TRANSACTIONS], 0, 0)])
    left = count
    while left:
        for message in source.consume(left, 0.1):
            if message.error() is None and (change := decoder.decode(message)) is not None:
                left -= 1
                yield change
    source.close()


def apply(connection: psycopg.Connection, change: Change) -> None:
    """One event, one transaction."""
    row, message, (commit_lsn, lsn) = change.row, change.message, change.version
    values = dict.fromkeys(Transaction.__struct_fields__)
    if isinstance(row, Transaction):
        values = {name: getattr(row, name) for name in Transaction.__struct_fields__}
    values |= {"transaction_id": change.key, "commit_lsn": commit_lsn, "lsn": lsn, "deleted": row is None}
    place = {"topic": message.topic(), "partition": message.partition(), "next_offset": message.offset() + 1}
    with connection.transaction():
        connection.execute(sql("one_by_one.row", SQL), values)
        if isinstance(row, Transaction) and change.op == "c" and row.kind in shop.ORDER_KINDS:
            connection.execute(sql("one_by_one.totals", SQL), values)
        connection.execute(sql("one_by_one.offset", SQL), place)


def main(count: int) -> None:
    settings = load_settings()
    done = []
    with connect(settings, "owner", autocommit=True) as connection:
        connection.prepare_threshold = 0
        for change in changes(settings, count):
            apply(connection, change)
            done.append((time.monotonic(), 1))
    print(json.dumps([done[0], (done[-1][0], len(done) - 1)]))


if __name__ == "__main__":
    main(int(sys.argv[1]))
