"""The whole pipeline under every load, and with every part killed: the RFM table is what the shop says."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pandas as pd
import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient

from retentioncast.infra.explain import explain
from retentioncast.infra.postgres import connect
from retentioncast.infra.settings import ScorerSettings
from retentioncast.infra.verify import verify
from retentioncast.stack.bring_up import prepare_pipeline
from retentioncast.stack.native import NativeStack
from retentioncast.stack.part import PartStatus
from retentioncast.stack.waiting import wait_until_empty
from scorer import generation
from scorer.bootstrap import score_once
from scorer.part import Part
from scorer.purchases import score_purchases
from tests.private_stack import private_stack

pytestmark = pytest.mark.e2e
KINDS = "select kind, count(*) from shop.transactions group by kind"
SIGNS = (
    "select count(*) from analytics.transactions where deleted and kind is null",
    "select count(*) from analytics.customers where deleted",
    "select count(*) from shop.subscriptions where cancelled_at is not null",
    "select count(*) from shop.transactions where kind = 'purchase' and amount = 0",
)
WAIT_S = 180.0


@pytest.fixture(scope="module")
def shop() -> Iterator[NativeStack]:
    """A stack of this module's own with a small past and all services, two consumers among them."""
    sections = {
        "simulator": {"customers": 300, "history": "6mo", "seed": 7},
        "consumer": {"processes": 2},
        "scorer": {"period_s": 600.0, "min_customers": 50},
    }
    with private_stack(**sections) as stack:
        stack.ensure(stack.infrastructure())
        prepare_pipeline(stack)
        stack.ensure(stack.services())
        simulate(stack, "--only-history")
        yield stack


def simulate(stack: NativeStack, *options: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "simulator", *options],
        env={**os.environ, **stack.variables}, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def differences(stack: NativeStack) -> list[str]:
    return [str(each) for each in verify(stack.settings, WAIT_S)]


def part(stack: NativeStack, name: str) -> PartStatus:
    return next(each for each in stack.parts() if each.name == name)


def wait_until_back(stack: NativeStack, name: str, killed: int) -> None:
    every = {each.name: each for each in [*stack.infrastructure(), *stack.services(), stack.simulator]}

    def missing() -> str:
        now = part(stack, name)
        if now.state != "running" or now.pid in (None, killed):
            return f"{name} is {now.state}"
        return every[name].not_ready()

    assert wait_until_empty(missing, WAIT_S, lambda _: None) == ""


@pytest.mark.parametrize("load", ["quiet", "normal", "busy", "flood"])
def test_rfm_is_exact_after_every_load(shop: NativeStack, load: str) -> None:
    with connect(shop.settings, "reader") as reader:
        before: dict[str, int] = dict(
            reader.execute("select table_name, sum(n) from (" + _COUNTS + ") as c group by 1").fetchall()
        )
    simulate(shop, "--load", load, "--duration", "4s")
    assert differences(shop) == []
    with connect(shop.settings, "reader") as reader:
        after: dict[str, int] = dict(
            reader.execute("select table_name, sum(n) from (" + _COUNTS + ") as c group by 1").fetchall()
        )
    assert after != before, "nothing happened"


def test_all_kinds_of_change_took_part(shop: NativeStack) -> None:
    with connect(shop.settings, "reader") as reader:
        kinds: dict[str, int] = dict(reader.execute(KINDS).fetchall())
        counts = [reader.execute(query).fetchone() for query in SIGNS]
        letters = reader.execute("select * from analytics.dead_letters").fetchall()
    assert set(kinds) == {"purchase", "renewal", "refund"}
    assert all(row is not None and row[0] > 0 for row in counts), counts
    assert letters == []


@pytest.mark.parametrize("name", ["consumer", "consumer-2", "connect", "kafka", "postgres", "scorer", "simulator"])
def test_any_part_that_is_killed_comes_back_and_nothing_is_lost(shop: NativeStack, name: str) -> None:
    if name == "simulator" or part_missing(shop, "simulator"):
        shop.ensure([shop.simulator])
    victim = part(shop, name)
    assert victim.pid is not None
    os.kill(victim.pid, signal.SIGKILL)
    wait_until_back(shop, name, victim.pid)
    shop.stop("simulator")
    assert differences(shop) == []


def part_missing(stack: NativeStack, name: str) -> bool:
    return all(each.name != name or each.state != "running" for each in stack.parts())


def test_scores_are_there_of_one_run_and_carry_their_intervals(shop: NativeStack) -> None:
    def missing() -> str:
        with connect(shop.settings, "reader") as reader:
            row = reader.execute(_SCORED).fetchone()
        return "" if row is not None and row[0] > 50 and row[1] == 1 else f"{row}"

    assert wait_until_empty(missing, WAIT_S, lambda _: None) == ""
    with connect(shop.settings, "reader") as reader:
        row = reader.execute(_INTERVALS).fetchone()
    assert row is not None
    told, ordered, wide = row
    assert told > 50 and ordered == told and wide > 0.5 * told


_COUNTS = """
    select 'transactions' as table_name, count(*) as n from shop.transactions
    union all select 'sessions', count(*) from shop.sessions
"""


_SCORED = "select count(no_purchase_30d), count(distinct run_id) from scores.customer_scores"
_INTERVALS = """
    select count(no_purchase_30d),
           count(*) filter (where no_purchase_30d_low <= no_purchase_30d_high
                              and probability_alive_low <= probability_alive_high
                              and residual_value_low <= residual_value_high),
           count(*) filter (where no_purchase_30d_low < no_purchase_30d and no_purchase_30d < no_purchase_30d_high)
    from scores.customer_scores where no_purchase_30d is not null
"""


_LATE = "select as_of, customer_id from scores.risk_now order by overdue desc nulls last limit 1"


def risk_now(stack: NativeStack) -> tuple[datetime, dict[int, float]]:
    """The stream's time, and each customer's P(no purchase within 30 days) as of then."""
    with connect(stack.settings, "reader") as reader:
        rows = reader.execute("select as_of, customer_id, no_purchase_30d from scores.risk_now").fetchall()
    return rows[0][0], {customer: risk for _, customer, risk in rows if risk is not None}


def test_the_risk_of_the_silent_rises_with_the_clock_and_is_explained(shop: NativeStack) -> None:
    shop.stop("scorer")
    since, before = risk_now(shop)
    had = rfm(shop)
    simulate(shop, "--load", "normal", "--speed", "86400", "--duration", "5s")
    assert differences(shop) == []
    now, after = risk_now(shop)
    # Not only orders: a merged customer or a deleted test order changes the risk of somebody who did nothing.
    silent = {customer for customer, row in rfm(shop).items() if had.get(customer) == row and customer in before}
    assert now - since > timedelta(days=2) and len(silent) > 20
    assert all(after[customer] > before[customer] for customer in silent if before[customer] < 1 - 1e-9)
    told = explain(shop.settings, min(silent), since)
    assert {part.what for part in told.parts} == {"time"} and told.run_then == told.run_now
    assert sum(part.no_purchase_30d for part in told.parts) == told.end.no_purchase_30d - told.start.no_purchase_30d
    shop.ensure([part for part in shop.services() if part.name == "scorer"])


def spoiled(customers: pd.DataFrame, settings: ScorerSettings, *chosen: Any) -> Part:
    """A refit made worse on purpose: days are taken for weeks."""
    return score_purchases(customers.assign(recency=7 * customers["recency"], T=7 * customers["T"]), settings, *chosen)


def test_a_refit_that_is_made_worse_is_refused_the_old_run_stays_and_the_refits_before_are_explained(
    shop: NativeStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.stop("scorer")
    with connect(shop.settings, "reader") as reader:
        since, customer = reader.execute(_LATE).fetchone() or (None, None)
    assert since is not None and customer is not None
    simulate(shop, "--load", "normal", "--speed", "86400", "--duration", "2s")
    assert differences(shop) == []
    good = score_once(shop.settings)
    assert good.status == "published", good.reason
    assert (good.parameters or {})["judgement"]["verdict"] == "publish"
    before = standing(shop)

    monkeypatch.setattr(generation, "score_purchases", spoiled)
    bad = score_once(shop.settings)
    assert (bad.status, standing(shop)) == ("refused", before)
    with connect(shop.settings, "reader") as reader:
        told = reader.execute("select run_id, status, reason from scores.model_runs order by run_id desc").fetchone()
    assert told == (bad.run_id, "refused", bad.reason)
    assert f"Run {good.run_id} is in force and stays so. The refit is clearly worse than the run in force" in bad.reason

    story = explain(shop.settings, customer, since)
    assert story.run_then != story.run_now == good.run_id and "refit" in {part.what for part in story.parts}
    for name in ("no_purchase_30d", "probability_alive"):
        moved = sum(getattr(part, name) for part in story.parts)
        assert moved == getattr(story.end, name) - getattr(story.start, name)
    shop.ensure([part for part in shop.services() if part.name == "scorer"])


def standing(stack: NativeStack) -> tuple[object, ...]:
    """The run in force, and everybody's scores and risk."""
    with connect(stack.settings, "reader") as reader:
        return tuple(
            reader.execute(query).fetchall()
            for query in (
                "select run_id from scores.in_force",
                "select * from scores.customer_scores order by customer_id",
                "select customer_id, run_id, no_purchase_30d from scores.risk_now order by customer_id",
            )
        )


def rfm(stack: NativeStack) -> dict[int, tuple[object, ...]]:
    with connect(stack.settings, "reader") as reader:
        return {row[0]: tuple(row[1:]) for row in reader.execute("select * from analytics.customer_rfm")}


def test_a_broken_message_goes_to_the_dead_letters_and_the_rest_goes_on(shop: NativeStack) -> None:
    topic = "retentioncast.shop.transactions"
    broken = [b"no json", b'{"op":"c","source":{"lsn":1},"after":{"transaction_id":1}}']
    producer = Producer({"bootstrap.servers": shop.settings.kafka.bootstrap})
    for payload in broken:
        producer.produce(topic, payload, b"{}", partition=0)
    assert producer.flush(WAIT_S) == 0
    simulate(shop, "--load", "busy", "--duration", "2s")
    assert differences(shop) == []
    with connect(shop.settings, "reader") as reader:
        letters = reader.execute("select topic, partition, payload from analytics.dead_letters order by 3").fetchall()
    assert letters == [(topic, 0, payload.decode()) for payload in sorted(broken)]


def test_a_consumer_can_join_and_leave_while_the_shop_writes(shop: NativeStack) -> None:
    shop.ensure([shop.simulator])
    third = subprocess.Popen([sys.executable, "-m", "consumer"], env={**os.environ, **shop.variables})
    try:
        assert wait_until_empty(lambda: members(shop, 3), WAIT_S, lambda _: None) == ""
        third.send_signal(signal.SIGTERM)
        assert third.wait(60) == 0
        assert wait_until_empty(lambda: members(shop, 2), WAIT_S, lambda _: None) == ""
    finally:
        third.kill()
    shop.stop("simulator")
    assert differences(shop) == []


def members(stack: NativeStack, wanted: int) -> str:
    """Empty when so many consumers share the partitions and each has some."""
    admin = AdminClient({"bootstrap.servers": stack.settings.kafka.bootstrap})
    group = admin.describe_consumer_groups([stack.settings.consumer.group])[stack.settings.consumer.group].result()
    busy = [member for member in group.members if member.assignment.topic_partitions]
    return "" if len(busy) == wanted else f"{len(busy)} of {wanted} consumers have partitions"
