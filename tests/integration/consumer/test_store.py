"""Whatever a shop does, in whatever order it arrives and however it is cut: the RFM table is what the rule says."""

from __future__ import annotations

import random
from datetime import timedelta

import psycopg
import pytest

from consumer.decode import decoders
from consumer.events import Batch
from consumer.fold import add_change, open_span
from consumer.isolate import isolate
from consumer.positions import committed
from consumer.store import prepare, write_batch
from retentioncast.core.errors import Fenced
from retentioncast.core.rfm import CustomerRfm
from retentioncast.core.shop import ShopNames
from retentioncast.infra.postgres import connect
from retentioncast.infra.settings import Settings
from tests.stream import PREFIX, FakeMessage, FakeShop, by_partition, message, transaction_row

pytestmark = pytest.mark.integration
DECODERS = decoders(ShopNames(), PREFIX)
TOPIC = f"{PREFIX}.shop.transactions"


@pytest.fixture
def consumer(database: Settings) -> psycopg.Connection:
    connection = connect(database, "consumer")
    prepare(connection)
    start_partitions(connection)
    return connection


def start_partitions(connection: psycopg.Connection) -> None:
    for partition in range(4):
        connection.execute("insert into analytics.offsets values (%s, %s, 0, 'id', null, now())", (TOPIC, partition))


def batch_of(messages: list[FakeMessage], first: int) -> Batch:
    batch = Batch()
    for each in messages:
        change = DECODERS[each.topic()].decode(each)
        span = open_span(batch, (each.topic(), each.partition()), first)
        span.next = each.offset() + 1
        batch.messages += 1
        if change is not None:
            add_change(batch, change, span, keep_stream=False)
    return batch


def found(connection: psycopg.Connection) -> dict[int, CustomerRfm]:
    columns = "first_purchase, latest_purchase, recency, frequency, order_count, order_value"
    rows = connection.execute(f"select customer_id, {columns} from analytics.customer_rfm").fetchall()
    return {row[0]: CustomerRfm(*row[1:]) for row in rows}


def replay(
    connection: psycopg.Connection,
    messages: list[FakeMessage],
    cuts: random.Random,
    done: dict[int, int] | None = None,
) -> None:
    """Partitions one after the other in slices of any size, mixed as several consumers would mix them.

    `done` is how many messages of each partition were applied before, and is moved on.
    """
    lanes = {partition: list(lane) for partition, lane in by_partition(messages).items()}
    done = dict.fromkeys(lanes, 0) if done is None else done
    while any(lanes.values()):
        partition = cuts.choice([each for each, lane in lanes.items() if lane])
        size = cuts.choice([1, 2, 5, 50])
        part, lanes[partition] = lanes[partition][:size], lanes[partition][size:]
        write_batch(connection, batch_of(part, done[partition]), [])
        done[partition] += len(part)


@pytest.mark.parametrize("seed", range(12))
def test_rfm_is_what_the_rule_says_after_any_history_in_any_cut(consumer: psycopg.Connection, seed: int) -> None:
    shop = FakeShop(seed, partitions=1 + seed % 3)
    shop.live(400)
    if seed % 4 == 0:
        shop.truncate()
        shop.live(60)
    replay(consumer, shop.messages, random.Random(seed))
    assert found(consumer) == shop.expected()


def test_a_replay_of_the_whole_topic_changes_nothing(consumer: psycopg.Connection) -> None:
    shop = FakeShop(99, partitions=2)
    shop.live(300)
    shop.truncate()
    shop.live(100)
    replay(consumer, shop.messages, random.Random(1))
    consumer.execute("update analytics.offsets set next_offset = 0")
    replay(consumer, shop.messages, random.Random(2))
    assert found(consumer) == shop.expected()


def test_large_batches_by_copy_and_small_ones_as_json_give_the_same(consumer: psycopg.Connection) -> None:
    shop = FakeShop(5, partitions=1, customers=300)
    shop.live(4000)
    write_batch(consumer, batch_of(shop.messages, 0), [])
    assert found(consumer) == shop.expected()


def test_a_refund_that_comes_before_its_purchase_takes_the_order_back(consumer: psycopg.Connection) -> None:
    refund = message("transactions", "c", 2, transaction_row(2, 1, "10.00", "refund", refers_to=1), 20, 0, 0)
    purchase = message("transactions", "c", 1, transaction_row(1, 1, "10.00"), 10, 1, 0)
    write_batch(consumer, batch_of([refund], 0), [])
    write_batch(consumer, batch_of([purchase], 0), [])
    assert found(consumer) == {}
    gone = message("transactions", "d", 2, None, 30, 0, 1)
    write_batch(consumer, batch_of([gone], 1), [])
    assert found(consumer)[1].order_count == 1


def test_rows_older_than_a_truncate_stay_gone_wherever_they_come_from(consumer: psycopg.Connection) -> None:
    truncate = message("transactions", "t", None, None, 50, 0, 0)
    late = message("transactions", "c", 1, transaction_row(1, 1), 40, 1, 0)
    new = message("transactions", "c", 2, transaction_row(2, 1, day=1), 60, 1, 1)
    write_batch(consumer, batch_of([truncate], 0), [])
    write_batch(consumer, batch_of([late, new], 0), [])
    assert found(consumer)[1].order_count == 1
    assert found(consumer)[1].recency == timedelta(0)


def test_a_deleted_row_is_not_revived_by_a_late_duplicate(consumer: psycopg.Connection) -> None:
    created = message("transactions", "c", 1, transaction_row(1, 1), 10, 0, 0)
    deleted = message("transactions", "d", 1, None, 20, 0, 1)
    again = message("transactions", "r", 1, transaction_row(1, 1), 15, 0, 2)
    for first, each in enumerate([created, deleted, again]):
        write_batch(consumer, batch_of([each], first), [])
    assert found(consumer) == {}


def test_a_consumer_that_was_overtaken_writes_nothing(consumer: psycopg.Connection) -> None:
    first = message("transactions", "c", 1, transaction_row(1, 1), 10, 0, 0)
    write_batch(consumer, batch_of([first], 0), [])
    second = message("transactions", "c", 2, transaction_row(2, 1), 20, 0, 0)
    with pytest.raises(Fenced):
        write_batch(consumer, batch_of([second], 0), [])
    assert found(consumer)[1].order_count == 1


def test_a_commit_whose_answer_was_lost_is_recognised(consumer: psycopg.Connection) -> None:
    batch = batch_of([message("transactions", "c", 1, transaction_row(1, 1), 10, 0, 0)], 0)
    assert not committed(consumer, batch.spans)
    write_batch(consumer, batch, [])
    assert committed(consumer, batch.spans)


def test_a_text_that_was_left_out_because_it_did_not_change_is_kept(consumer: psycopg.Connection) -> None:
    left_out = transaction_row(1, 1, promotion="__debezium_unavailable_value")
    first = message("transactions", "c", 1, transaction_row(1, 1, promotion="SPRING"), 10, 0, 0)
    write_batch(consumer, batch_of([first], 0), [])
    second = message("transactions", "u", 1, left_out, 20, 0, 1)
    write_batch(consumer, batch_of([second], 1), [])
    inserted = message("transactions", "c", 2, transaction_row(2, 1, promotion="AUTUMN"), 30, 0, 2)
    third = message("transactions", "u", 2, left_out | {"transaction_id": 2}, 40, 0, 3)
    write_batch(consumer, batch_of([inserted, third], 2), [])
    rows = consumer.execute("select promotion from analytics.transactions order by transaction_id").fetchall()
    assert rows == [("SPRING",), ("AUTUMN",)]


def test_a_long_transaction_that_commits_after_a_snapshot_wins_over_it(consumer: psycopg.Connection) -> None:
    """Its change has the smaller LSN, as it was written first; the commits before them say which is later."""
    before = message("transactions", "r", 1, transaction_row(1, 1, "5.00"), 200, 0, 0, commit_lsn=150)
    after = message("transactions", "u", 1, transaction_row(1, 1, "8.00"), 100, 0, 1, commit_lsn=250)
    write_batch(consumer, batch_of([before], 0), [])
    write_batch(consumer, batch_of([after], 1), [])
    assert str(found(consumer)[1].order_value) == "8.00"


def test_a_row_that_only_postgres_refuses_goes_to_the_dead_letters_alone(consumer: psycopg.Connection) -> None:
    rows = [transaction_row(1, 1), transaction_row(2, 1, promotion="a\0b"), transaction_row(3, 1)]
    batch = batch_of([message("transactions", "c", n + 1, row, n, 0, n) for n, row in enumerate(rows)], 0)
    with pytest.raises(psycopg.DataError):
        write_batch(consumer, batch, [])
    isolate(consumer, batch)
    write_batch(consumer, batch, [])
    assert found(consumer)[1].order_count == 2
    letters = consumer.execute('select "offset", reason from analytics.dead_letters').fetchall()
    assert [offset for offset, _ in letters] == [1]
    assert letters[0][1] == "unsupported Unicode escape sequence: \\u0000 cannot be converted to text."
