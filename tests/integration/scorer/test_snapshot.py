"""What a run sees is what was known at its time: no more, and counted as the rule says."""

from __future__ import annotations

from datetime import datetime, timedelta

import pandas as pd
import pytest

from retentioncast.core.errors import InvalidInput, NotEnoughData
from retentioncast.infra.postgres import connect
from retentioncast.infra.settings import Settings
from retentioncast.models import summary_from_transactions
from scorer.snapshot import Snapshot
from scorer.store import PostgresStore
from tests.integration.scorer.mirror import (
    START,
    Bought,
    Subscribed,
    add_subscriptions,
    add_transactions,
    plausible_shop,
    set_stream_time,
)


def read(database: Settings, asked: datetime | None = None) -> Snapshot:
    with connect(database, "scorer", autocommit=True) as connection:
        return PostgresStore(connection, lambda: connection).read_snapshot(asked)


def days(count: float) -> datetime:
    return START + timedelta(days=count)


def row(snapshot: Snapshot, customer_id: int) -> list[float]:
    """frequency, recency and T in days, monetary value, days since the latest order."""
    frequency, recency, age, value, since = snapshot.customers.loc[[customer_id]].to_numpy()[0].tolist()
    return [frequency, round(recency * 7, 6), round(age * 7, 6), value, round(since, 6)]


def test_the_summary_is_that_of_pandas_for_every_customer(database: Settings) -> None:
    rows = plausible_shop(200)
    add_transactions(database, rows)
    as_of = set_stream_time(database, 250)
    log = pd.DataFrame([(r.customer_id, r.occurred_at, float(r.amount)) for r in rows if r.occurred_at <= as_of])
    expected = summary_from_transactions(
        log, customer=log.columns[0], time=log.columns[1], amount=log.columns[2], observed_until=as_of
    )
    found = read(database).customers[["frequency", "recency", "T", "monetary_value"]]
    pd.testing.assert_frame_equal(found, expected, check_names=False, check_dtype=False)


def test_two_purchases_of_one_utc_day_are_one_of_their_sum(database: Settings) -> None:
    add_transactions(database, [Bought(1, 0), Bought(1, 7, "5.00"), Bought(1, 7.4, "6.00"), Bought(1, 7.6, "1.00")])
    set_stream_time(database, 21)
    assert row(read(database), 1) == [2, 8, 21, 6.0, 13.4]


def test_nothing_after_the_time_counts_and_the_time_itself_does(database: Settings) -> None:
    add_transactions(database, [Bought(1, 0), Bought(1, 10), Bought(1, 20), Bought(2, 20)])
    set_stream_time(database, 30)
    snapshot = read(database, days(10))
    assert snapshot.customers.index.tolist() == [1]
    assert row(snapshot, 1) == [1, 10, 10, 10.0, 0]
    assert (snapshot.data_from, snapshot.data_to) == (START, days(10))


def test_a_refund_takes_the_order_back_from_its_own_time_on(database: Settings) -> None:
    refund = Bought(1, 20, "10.00", "refund", refers_to=77)
    add_transactions(database, [Bought(1, 0), Bought(1, 10, transaction_id=77), refund])
    set_stream_time(database, 30)
    assert row(read(database, days(19.9)), 1)[:2] == [1, 10]
    assert row(read(database, days(20)), 1)[:2] == [0, 0]


def test_a_part_refund_lowers_the_value_and_the_order_stays(database: Settings) -> None:
    refund = Bought(1, 20, "4.00", "refund", refers_to=77)
    add_transactions(database, [Bought(1, 0), Bought(1, 10, transaction_id=77), refund])
    set_stream_time(database, 30)
    assert row(read(database), 1) == [1, 10, 30, 6.0, 20]


def test_a_free_order_is_a_purchase(database: Settings) -> None:
    add_transactions(database, [Bought(1, 0, "0.00"), Bought(1, 10, "0.00")])
    set_stream_time(database, 30)
    assert row(read(database), 1) == [1, 10, 30, 0, 20]


def test_renewals_are_orders_but_no_purchases(database: Settings) -> None:
    add_transactions(database, [Bought(1, 0), Bought(1, 25, kind="renewal"), Bought(2, 5, kind="renewal")])
    set_stream_time(database, 30)
    snapshot = read(database)
    assert row(snapshot, 1) == [0, 0, 30, 0, 5]
    assert snapshot.customers.loc[2].isna().sum() == 4
    assert snapshot.customers.loc[2, "days_since_order"] == 25


def test_a_subscription_cancelled_later_goes_on(database: Settings) -> None:
    rows = [Subscribed(1, 0, 10), Subscribed(2, 0, 40), Subscribed(3, 5.5), Subscribed(4, 35)]
    add_subscriptions(database, rows)
    set_stream_time(database, 50)
    found = read(database, days(30)).subscriptions.set_index("customer_id")[["duration_days", "event"]]
    assert found.to_numpy().tolist() == [[10, 1], [30, 0], [24, 0]]


def test_a_stream_without_a_time_has_nothing_to_read(database: Settings) -> None:
    with pytest.raises(NotEnoughData, match="nothing has come through"):
        read(database)


def test_a_day_that_the_stream_has_not_come_to_is_refused(database: Settings) -> None:
    set_stream_time(database, 5)
    with pytest.raises(InvalidInput, match="has come to 2026-01-06"):
        read(database, days(6))
