"""`python -m benchmarks.raw_limit PARTITION:COUNT ...`: the least that any consumer must do, as fast as it goes.

Consume, decode, append by COPY to a table without a key, commit durably; reading and decoding overlap with writing.
Prints when its first and its last batch were committed (monotonic seconds) and how many rows that were.
"""

from __future__ import annotations

import gc
import json
import queue
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
from confluent_kafka import Consumer, TopicPartition

from consumer.bootstrap import SWITCH_S, kafka_config
from consumer.decode import Source, stream_key
from consumer.rows import Transaction
from retentioncast.core import shop
from retentioncast.infra.postgres import connect
from retentioncast.infra.settings import Settings, load_settings
from retentioncast.infra.sql import sql
from retentioncast.infra.topics import change_topics

SQL = Path(__file__).parent / "sql"
type Rows = list[tuple[Any, ...]]


class Event(msgspec.Struct, gc=False):
    op: str
    source: Source
    after: Transaction | None


def read(settings: Settings, counts: Mapping[int, int], batches: queue.Queue[Rows | None]) -> None:
    """Read and decode ahead; None is the end."""
    source, decoder = Consumer(kafka_config(settings)), msgspec.json.Decoder(Event)
    topic, left = change_topics(settings)[shop.TRANSACTIONS], sum(counts.values())
    source.assign([TopicPartition(topic, partition, 0) for partition in counts])
    while left:
        messages = [each for each in source.consume(settings.consumer.batch_size, 0.1) if each.error() is None]
        left -= len(messages)
        if messages:
            batches.put([as_row(decoder.decode(each.value())) for each in messages])
    batches.put(None)
    source.close()


def as_row(event: Event) -> tuple[Any, ...]:
    """All that the mirror keeps, the version read from `sequence` as the consumer must."""
    row = msgspec.structs.astuple(event.after) if event.after else (None,) * 9
    return (*row, *stream_key(event.source), event.after is None)


def write(settings: Settings, batches: queue.Queue[Rows | None]) -> list[tuple[float, int]]:
    """Append and commit each batch; when each was committed, and its rows."""
    done = []
    with connect(settings, "owner", autocommit=True) as connection:
        while (rows := batches.get()) is not None:
            with connection.transaction(), connection.cursor().copy(sql("apply.raw_copy", SQL)) as copy:
                for row in rows:
                    copy.write_row(row)
            done.append((time.monotonic(), len(rows)))
    return done


def main(arguments: list[str]) -> None:
    settings = load_settings()
    gc.disable()  # it has nothing to find here, and costs a sixth of the time
    sys.setswitchinterval(SWITCH_S)  # as the consumer does
    counts = {int(partition): int(count) for partition, count in (each.split(":") for each in arguments)}
    batches: queue.Queue[Rows | None] = queue.Queue(settings.consumer.queue_batches)
    threading.Thread(target=read, args=(settings, counts, batches), daemon=True).start()
    print(json.dumps(write(settings, batches)))


if __name__ == "__main__":
    main(sys.argv[1:])
