"""Partitions change hands while messages are being fetched: nothing is skipped, nothing of others is applied."""

from __future__ import annotations

import queue
import time
from typing import Any

import pytest
from confluent_kafka import TopicPartition

from consumer.decode import decoders
from consumer.events import Batch, Place
from consumer.reader import Reader
from retentioncast.core.clock import SystemClock
from retentioncast.core.shop import ROLES, ShopNames
from tests.fake_kafka import FakeSource
from tests.stream import PREFIX, FakeMessage, message, transaction_row

TOPIC = f"{PREFIX}.shop.transactions"
PLACES: list[Place] = [(f"{PREFIX}.shop.{role}", partition) for role in ROLES for partition in range(2)]
EACH = 150


def orders() -> list[FakeMessage]:
    """As many in each of two partitions."""
    numbers = range(2 * EACH)
    return [
        message("transactions", "c", n, transaction_row(n, n % 2, day=n / 10), 1000 + n, n % 2, n // 2) for n in numbers
    ]


class RestlessSource(FakeSource):
    """Rebalances now and then in the middle of a fetch; one partition may then be somebody else's for a while.

    What was fetched before is delivered all the same.
    """

    def __init__(self, seed: int) -> None:
        super().__init__(orders(), PLACES, seed)
        self.rebalances = 0
        self.on_idle = self.give_all_back

    def subscribe(self, topics: list[str], **callbacks: Any) -> None:
        super().subscribe(topics, **callbacks)
        self.reassign = callbacks["on_assign"]

    def consume(self, num_messages: int, timeout: float) -> list[FakeMessage]:
        lot = self._random.random() if self._at and num_messages > 1 else 1
        if lot < 0.15:
            self.rebalance([place for place in PLACES if place[1] == 0 or self._random.random() < 0.6])
        found = super().consume(num_messages, timeout)
        if 0.15 <= lot < 0.3:
            self.rebalance(PLACES)
        return found

    def rebalance(self, held: list[Place]) -> None:
        self.rebalances += 1
        self._on_revoke(self, [TopicPartition(*place) for place in self._at])
        self.reassign(self, [TopicPartition(*place) for place in held])

    def give_all_back(self) -> None:
        time.sleep(0.001)
        if len(self._at) < len(PLACES):
            self.rebalance(PLACES)


@pytest.mark.parametrize("ordered", [False, True], ids=["as they come", "in the order of the stream"])
@pytest.mark.parametrize("seed", range(12))
def test_what_was_read_before_a_rebalance_is_not_applied_behind_it(seed: int, ordered: bool) -> None:
    source, committed = RestlessSource(seed), dict.fromkeys(PLACES, 0)

    def starts(places: list[Place]) -> dict[Place, int]:
        return {place: committed[place] for place in places}

    reader = Reader(source, decoders(ShopNames(), PREFIX), starts, 40, 2, ordered=ordered, clock=SystemClock())
    reader.start()
    seen: set[int] = set()
    while committed[TOPIC, 0] < EACH or (committed[TOPIC, 1] < EACH and reader.is_alive()):
        try:
            seen |= commit(reader.batches.get(timeout=0.5), committed)
        except queue.Empty:
            assert reader.is_alive(), reader.failure
        else:
            reader.batches.task_done()
    reader.stop()
    drain(reader)
    assert reader.failure is None
    assert source.rebalances > 0
    assert seen == {n for n in range(2 * EACH) if n // 2 < committed[TOPIC, n % 2]}


def commit(batch: Batch, committed: dict[Place, int]) -> set[int]:
    """As Postgres does: compare and set. The rows that came with it."""
    for place, span in batch.spans.items():
        assert span.first == committed[place]
        assert span.next > span.first
        committed[place] = span.next
    assert batch.messages == sum(span.next - span.first for span in batch.spans.values())
    return set(batch.rows.get("transactions", {}))


def drain(reader: Reader) -> None:
    while reader.is_alive():
        try:
            reader.batches.get(timeout=0.05)
        except queue.Empty:
            continue
        reader.batches.task_done()
