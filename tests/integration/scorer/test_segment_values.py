"""Segment values are published as a whole or not at all, beside the scores, and the run says why."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from typing import Any

import psutil
import pytest

from retentioncast.core.clock import SystemClock
from retentioncast.core.errors import NotEnoughData
from retentioncast.infra.postgres import connect
from retentioncast.infra.segments import read_segments
from retentioncast.infra.settings import ENV_PREFIX, Settings
from retentioncast.models.clv.config import CLVConfig
from retentioncast.models.pooling import pool
from scorer.hierarchical import beside
from scorer.hierarchical.__main__ import refit_once
from scorer.hierarchical.refit import Refit
from scorer.hierarchical.store import SegmentStore
from scorer.runs import Run
from tests.integration.scorer.mirror import (
    add_subscriptions,
    add_transactions,
    plausible_shop,
    set_stream_time,
    with_scorer,
)
from tests.integration.scorer.mirror import subscribers as some_subscribers

CHANNELS = ["ads", "search", "mail", "friends", "social", "fair", "radio", "press"]


@pytest.fixture
def shop(database: Settings) -> Settings:
    add_transactions(database, plausible_shop(240))
    set_stream_time(database, 300)
    with connect(database, "consumer") as connection, connection.cursor() as cursor:
        cursor.executemany(
            "insert into analytics.customers (customer_id, channel, commit_lsn, lsn, deleted)"
            " values (%s, %s, 1, 1, false)",
            [(customer, CHANNELS[customer % 8]) for customer in range(1, 236)],
        )
    return with_scorer(database)


def read(settings: Settings, query: str) -> list[tuple[Any, ...]]:
    with connect(settings, "reader") as connection:
        return connection.execute(query).fetchall()


def refit(settings: Settings, config: CLVConfig) -> Run:
    with connect(settings, "scorer", autocommit=True) as connection:
        return Refit(settings.scorer, SystemClock(), "test", config).run(SegmentStore(connection))


def test_a_refit_leaves_each_customer_and_segment_with_intervals_and_the_next_begins_where_it_ended(
    shop: Settings,
) -> None:
    with pytest.raises(NotEnoughData, match="no refit has ended"):
        read_segments(shop)
    first, second = refit_once(shop), refit_once(shop)
    assert first is not None and second is not None
    assert (first.status, second.status) == ("published", "published"), (first.reason, second.reason)
    assert second.parameters is not None and second.parameters["by"] == "channel"
    with connect(shop, "scorer", autocommit=True) as connection:
        assert SegmentStore(connection).read(shop.scorer.segments).before == second.parameters["population"]
    rows = read(shop, "select run_id, segment, customers, residual_value from scores.segment_values order by 2")
    assert [row[1] for row in rows] == sorted([*CHANNELS, "unknown"])
    assert {row[0] for row in rows} == {second.run_id}
    sums = dict(read(shop, "select segment, sum(residual_value) from scores.hierarchical_values group by 1"))
    assert sums == {row[1]: pytest.approx(row[3]) for row in rows}
    assert read(shop, "select count(*), count(residual_value_high_95) from scores.hierarchical_values") == [(240, 240)]
    assert read(
        shop,
        "select count(*) from scores.hierarchical_values where not (residual_value_low_95 <= residual_value_low_50"
        " and residual_value_low_50 <= residual_value_high_50 and residual_value_high_50 <= residual_value_high_95)",
    ) == [(0,)]
    found, note = read_segments(shop)
    assert len(found) == 9 and not note


def test_a_fit_that_does_not_pass_is_not_published_and_the_run_says_why(
    shop: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No importance weights are believed, and NUTS gets no time."""
    monkeypatch.setattr(pool, "FEWEST_BEHIND", 1e9)
    run = refit(with_scorer(shop, segments={"budget_s": 0.001}), CLVConfig(num_samples=20, num_tune=10, num_chains=2))
    assert run.status == "refused" and "did not pass" in run.reason and "ESS" in run.reason
    assert read(shop, "select count(*) from scores.segment_values") == [(0,)]
    assert read(shop, "select kind, status from scores.model_runs") == [("segment values", "refused")]
    with pytest.raises(NotEnoughData, match="did not pass"):
        read_segments(shop)


def test_beside_the_scorer_a_process_of_its_own_refits_once_there_are_scores_and_ends_with_it(
    shop: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(beside, "FIRST_S", 0.0)
    for name, value in (("HOME", str(shop.home)), ("POSTGRES__DATABASE", shop.postgres.database)):
        monkeypatch.setenv(ENV_PREFIX + name, value)
    give_up = time.monotonic() + 120
    with beside.refits_beside(shop, threading.Event()):
        with connect(shop, "scorer") as connection:
            connection.execute(
                "with run as (insert into scores.model_runs (started_at, status, reason, duration_s, code_version)"
                " values (now(), 'published', '', 0, '') returning run_id)"
                " insert into scores.customer_scores (customer_id, as_of, run_id) select 1, now(), run_id from run"
            )
        while not (runs := read(shop, "select status from scores.model_runs where kind = 'segment values'")):
            assert time.monotonic() < give_up, "there was no refit in time"
            time.sleep(0.2)
    assert runs == [("published",)]
    assert not [child for child in psutil.Process().children() if "scorer.hierarchical" in child.cmdline()]


def test_the_segments_may_be_plans(shop: Settings) -> None:
    add_subscriptions(shop, some_subscribers(200))
    with connect(shop, "scorer", autocommit=True) as connection:
        by = with_scorer(shop, segments={"by": "plan"}).scorer.segments
        customers = SegmentStore(connection).read(by).customers
    assert customers["segment"].value_counts().to_dict() == {"basic": 100, "pro": 100, "unknown": 40}


def test_an_empty_shop_is_refused_with_its_reason_by_the_process_itself(database: Settings) -> None:
    set_stream_time(database, 3)
    own = {"HOME": str(database.home), "POSTGRES__DATABASE": database.postgres.database}
    env = os.environ | {ENV_PREFIX + name: value for name, value in own.items()}
    ended = subprocess.run([sys.executable, "-m", "scorer.hierarchical"], env=env, capture_output=True, check=False)
    assert ended.returncode == 1
    ((status, reason),) = read(database, "select status, reason from scores.model_runs")
    assert status == "refused" and "there are 0 and 0" in reason
