"""A shop of many segments, in the mirror of the benchmark's own Postgres, as the consumer would leave it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd

from retentioncast.infra.postgres import connect
from retentioncast.infra.settings import Settings

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
_ROWS_AT_ONCE = 200_000

COPY_ORDERS = """copy analytics.transactions (customer_id, occurred_at, amount, transaction_id, kind, currency,
commit_lsn, lsn, deleted) from stdin (format csv)"""
COPY_CUSTOMERS = "copy analytics.customers (customer_id, channel, commit_lsn, lsn, deleted) from stdin (format csv)"
SET_TIME = """insert into analytics.offsets (topic, partition, next_offset, topic_id, stream_time)
values ('transactions', 0, 1, 'id', %s)"""


def make_orders(summary: pd.DataFrame, seed: int) -> pd.DataFrame:
    """An order a day of buying: customer (row of the summary), occurred_at, amount. First and last day are the
    summary's, those between fall anywhere, once a day; all of a customer's orders cost the summary's mean."""
    rng = np.random.default_rng(seed)
    age, last = (np.round(summary[name].to_numpy() * 7).astype(np.int64) for name in ("T", "recency"))
    bought = summary["frequency"].to_numpy().astype(np.int64)
    customer = np.arange(len(summary))
    between = np.repeat(customer, np.maximum(bought - 1, 0))
    day = np.ceil(rng.random(between.size) * last[between]).astype(np.int64)
    again = customer[bought > 0]
    rows = np.unique(
        np.stack([np.concatenate([customer, between, again]), np.concatenate([0 * age, day, last[again]])]), axis=1
    )
    when = pd.Timestamp(NOW) - pd.to_timedelta(age[rows[0]] - rows[1], unit="D")
    amount = np.maximum(summary["monetary_value"].to_numpy()[rows[0]], 1.0).round(2)
    return pd.DataFrame({"customer_id": rows[0] + 1, "occurred_at": when, "amount": amount})


def fill_mirror(settings: Settings, summary: pd.DataFrame, seed: int) -> int:
    """The orders and the channel of every customer of a summary with `segment`; how many orders there are."""
    orders = make_orders(summary, seed)
    number = np.arange(1, len(orders) + 1)
    orders = orders.assign(number=number, kind="purchase", currency="USD", commit_lsn=number, lsn=number, deleted="f")
    customers = pd.DataFrame({"customer_id": np.arange(1, len(summary) + 1), "channel": summary["segment"].to_numpy()})
    customers = customers.assign(commit_lsn=1, lsn=1, deleted="f")
    with connect(settings, "consumer") as connection:
        for statement, rows in ((COPY_ORDERS, orders), (COPY_CUSTOMERS, customers)):
            with connection.cursor().copy(statement) as copy:
                for text in _as_csv(rows):
                    copy.write(text)
        connection.execute(SET_TIME, (NOW + timedelta(hours=1),))
    with connect(settings, "owner", autocommit=True) as connection:
        connection.execute("vacuum analyze analytics.transactions")
    return len(orders)


def _as_csv(rows: pd.DataFrame) -> Iterator[str]:
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        yield rows.iloc[start : start + _ROWS_AT_ONCE].to_csv(header=False, index=False)
