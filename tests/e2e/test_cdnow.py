"""CDNOW through the whole pipeline: the import, Debezium, Kafka, the consumer, the scorer; nothing is faked.

The RFM table is compared with a computation that shares no code with ours: pandas, straight from the file. The
models are compared with the published values (Fader, Hardie & Lee 2005; Fader & Hardie 2013) to the printed digits.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pandas as pd
import pytest

from retentioncast.imports.cdnow import CUSTOMERS, PURCHASES, find_cdnow
from retentioncast.infra.postgres import connect
from retentioncast.infra.settings import Settings
from retentioncast.infra.verify import verify
from retentioncast.stack.native import NativeStack

pytestmark = pytest.mark.e2e

DEADLINE_S = 180.0
RFM = """
select substring(c.name from 'Customer (.*)')::integer as source_customer,
       r.first_purchase, r.latest_purchase, extract(epoch from r.recency) * 1000000 as recency_us,
       r.frequency, r.order_count, r.order_value
from analytics.customer_rfm r
join analytics.customers c using (customer_id)
where c.email like '%@cdnow.import.invalid'
order by 1
"""
ARRIVED = """
select count(*) from analytics.transactions t join analytics.customers c using (customer_id)
where c.email like '%@cdnow.import.invalid'
"""
RUN = "select status, reason, parameters from scores.model_runs where run_id = %s"


def command(stack: NativeStack, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from retentioncast.cli import main; main()", *arguments],
        env={**os.environ, **stack.variables}, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def imported(stack: NativeStack) -> Iterator[NativeStack]:
    """The stack with the consumer running and CDNOW arrived in analytics."""
    done = command(stack, "import", "cdnow", "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert (report["purchases"], report["customers"], report["bad_rows"]) == (PURCHASES, CUSTOMERS, 0)
    consumer = subprocess.Popen([sys.executable, "-m", "consumer"], env={**os.environ, **stack.variables})
    try:
        wait_for_all(stack.settings, consumer)
        yield stack
    finally:
        consumer.terminate()
        try:
            consumer.wait(timeout=60)
        except subprocess.TimeoutExpired:
            consumer.kill()
            consumer.wait()


def wait_for_all(settings: Settings, consumer: subprocess.Popen[bytes]) -> None:
    give_up, arrived = time.monotonic() + DEADLINE_S, 0
    while arrived < PURCHASES:
        assert consumer.poll() is None, "the consumer ended"
        assert time.monotonic() < give_up, f"only {arrived} of {PURCHASES} purchases arrived"
        time.sleep(0.2)
        with connect(settings, "reader") as connection:
            ((arrived,),) = connection.execute(ARRIVED).fetchall()


def independent_rfm() -> dict[int, tuple[Any, ...]]:
    """What RFM should be, by pandas from the file alone."""
    frame = pd.read_csv(
        find_cdnow().path, sep=r"\s+", header=None, names=["all", "customer", "day", "cds", "dollars"], dtype=str
    )
    frame["customer"] = frame["customer"].astype(int)
    frame["at"] = pd.to_datetime(frame["day"], format="%Y%m%d", utc=True)
    frame["cents"] = frame["dollars"].str.replace(".", "", regex=False).astype(int)
    sums: Any = frame.groupby("customer").agg(
        first=("at", "min"), latest=("at", "max"), orders=("at", "size"), cents=("cents", "sum")
    )
    return {int(row.Index): rfm_row(row.first, row.latest, row.orders, row.cents) for row in sums.itertuples()}


def rfm_row(first: Any, latest: Any, orders: int, cents: int) -> tuple[Any, ...]:
    recency_us = Decimal((latest - first).days * 86_400_000_000)
    value = Decimal(int(cents)).scaleb(-2)
    return first.to_pydatetime(), latest.to_pydatetime(), recency_us, orders - 1, orders, value


def test_the_rfm_table_equals_an_independent_computation(imported: NativeStack) -> None:
    with connect(imported.settings, "reader") as connection:
        found = {row[0]: tuple(row[1:]) for row in connection.execute(RFM)}
    assert len(found) == CUSTOMERS
    assert found == independent_rfm()


def test_the_pipeline_says_itself_that_nothing_differs(imported: NativeStack) -> None:
    assert verify(imported.settings, DEADLINE_S) == []


def test_the_models_give_the_published_numbers(imported: NativeStack) -> None:
    done = command(imported, "score", "--as-of", "1997-09-30", "--json")
    assert done.returncode == 0, done.stderr
    with connect(imported.settings, "reader") as connection:
        row = connection.execute(RUN, (json.loads(done.stdout)["run_id"],)).fetchone()
    assert row is not None
    status, reason, parameters = row
    assert status == "published", reason
    purchase, spend = (parameters[part]["parameters"] for part in ("purchase", "spend"))
    assert {name: f"{value:.3f}" for name, value in purchase.items()} == {
        "r": "0.243", "alpha": "4.414", "a": "0.793", "b": "2.426",
    }  # fmt: skip
    assert {name: f"{value:.2f}" for name, value in spend.items()} == {"p": "6.25", "q": "3.74", "v": "15.44"}
    assert f"{parameters['purchase']['log_likelihood']:.2f}" == "-9582.43"
    assert parameters["purchase"]["n_customers"] == CUSTOMERS
    assert parameters["spend"]["n_customers"] == 946


def test_the_import_is_never_made_twice(imported: NativeStack) -> None:
    done = command(imported, "import", "cdnow")
    assert done.returncode == 1
    assert "already has this import" in done.stderr
