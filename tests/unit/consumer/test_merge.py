"""However the topics are fetched, changes are released in the order of the stream, and none before its time."""

from __future__ import annotations

import random

import pytest

from consumer.decode import decoders
from consumer.merge import Merger
from retentioncast.core.shop import ShopNames
from tests.stream import EPOCH, PREFIX, FakeMessage, message, transaction_row

DECODERS = decoders(ShopNames(), PREFIX)
ORDERS, SESSIONS = f"{PREFIX}.shop.transactions", f"{PREFIX}.shop.sessions"


def order(lsn: int, offset: int) -> FakeMessage:
    return message("transactions", "c", lsn, transaction_row(lsn, 1), lsn, 0, offset)


def session(lsn: int, offset: int) -> FakeMessage:
    row = {"session_id": lsn, "customer_id": 1, "started_at": EPOCH.isoformat(), "pages": 1, "channel": "web"}
    return message("sessions", "c", lsn, row, lsn, 0, offset)


def push(merger: Merger, each: FakeMessage) -> None:
    merger.push(each, DECODERS[each.topic()].decode(each))


def merger() -> Merger:
    made = Merger()
    made.assign([(ORDERS, 0), (SESSIONS, 0)])
    return made


def released(made: Merger) -> list[int]:
    return [held.key[0][1] for held in made.release()]


def test_a_change_waits_until_the_other_topic_can_bring_no_earlier_one() -> None:
    made = merger()
    push(made, order(10, 0))
    assert released(made) == []
    push(made, session(8, 0))
    assert released(made) == [8]
    made.mark((SESSIONS, 0), at_end=True)
    assert released(made) == [10]


def test_a_topic_that_is_read_to_its_end_holds_nothing_back() -> None:
    made = merger()
    made.mark((SESSIONS, 0), at_end=True)
    push(made, order(10, 0))
    assert released(made) == [10]


def test_a_message_sent_twice_stays_behind_those_sent_before_it() -> None:
    made = merger()
    made.mark((SESSIONS, 0), at_end=True)
    for offset, lsn in enumerate([10, 20, 10, 30]):
        push(made, order(lsn, offset))
    assert [held.message.offset() for held in made.release()] == [0, 1, 2, 3]


@pytest.mark.parametrize("seed", range(20))
def test_any_mix_of_fetches_gives_the_same_order(seed: int) -> None:
    chance = random.Random(seed)
    lanes = {
        ORDERS: [order(lsn, offset) for offset, lsn in enumerate(range(0, 300, 3))],
        SESSIONS: [session(lsn, offset) for offset, lsn in enumerate(range(1, 100, 2))],
    }
    made, out = merger(), []
    while any(lanes.values()):
        topic = chance.choice([each for each, lane in lanes.items() if lane])
        push(made, lanes[topic].pop(0))
        for each, lane in lanes.items():
            made.mark((each, 0), at_end=not lane)
        out += released(made)
    assert out == sorted(out)
    assert len(out) == 150
    assert made.pending() == 0
