"""Scores are read with what makes them honest, and where there are none, the reason is told."""

from __future__ import annotations

import pytest

from retentioncast.core.errors import InvalidInput, NotEnoughData
from retentioncast.infra.postgres import connect
from retentioncast.infra.scores import read_scores
from retentioncast.infra.settings import Settings

pytestmark = pytest.mark.integration

RUN = """
insert into scores.model_runs (started_at, as_of, status, reason, duration_s, code_version)
values ('2026-01-01Z', '2026-01-01Z', '{}', '{}', 1, '1')
"""
PUBLISHED = RUN.format("published", "Scores of 3 customers.")
SCORES = """
insert into scores.customer_scores (customer_id, no_purchase_30d, no_purchase_90d, residual_value, as_of, run_id)
values (1, 0.999, 0.99, 5, '2026-01-01Z', 1), (2, 0.998, 0.98, 50, '2026-01-01Z', 1),
       (3, 0.30, 0.20, 1000, '2026-01-01Z', 1);
insert into analytics.customers (customer_id, name, email, country, commit_lsn, lsn, deleted)
    values (2, 'Bob', 'b@x', 'US', 1, 1, false), (9, 'New', 'n@x', 'US', 1, 1, false),
    (8, 'Idle', 'i', 'US', 1, 1, false);
insert into analytics.customer_totals values (2, '2025-01-01Z', '2025-06-01Z', 4, 99.50), (9, now(), now(), 1, 1);
insert into analytics.online_scores values (2, 0.75, '2026-01-01Z', 0);
"""


@pytest.fixture
def scored(database: Settings) -> Settings:
    run(database, PUBLISHED, *SCORES.split(";")[:-1])
    return database


def run(settings: Settings, *statements: str) -> None:
    with connect(settings, "owner") as connection:
        for statement in statements:
            connection.execute(statement)


@pytest.mark.parametrize(("by", "customers"), [("risk", [2, 1, 3]), ("stake", [3, 2, 1]), ("value", [3, 2, 1])])
def test_customers_come_in_the_order_that_was_asked_for(scored: Settings, by: str, customers: list[int]) -> None:
    assert [row["customer_id"] for row in read_scores(scored, 3, by=by)] == customers


def test_only_so_many_come_as_were_asked_for(scored: Settings) -> None:
    assert len(read_scores(scored, top=2)) == 2


def test_a_customer_comes_with_name_orders_and_the_live_score(scored: Settings) -> None:
    (row,) = read_scores(scored, customer=2)
    assert (row["name"], row["order_count"], row["online_no_order_30d"], row["run_id"]) == ("Bob", 4, 0.75, 1)


@pytest.mark.parametrize(
    ("customer", "reason"), [(77, "no customer 77"), (8, "has no order"), (9, "after the last run")]
)
def test_a_customer_without_a_score_is_told_why(scored: Settings, customer: int, reason: str) -> None:
    with pytest.raises(InvalidInput, match=reason):
        read_scores(scored, customer=customer)


def test_a_customer_without_a_score_is_told_why_also_when_the_last_run_was_refused(scored: Settings) -> None:
    run(scored, RUN.format("refused", "It was worse."))
    with pytest.raises(InvalidInput, match="no customer 77"):
        read_scores(scored, customer=77)


def test_before_the_first_run_that_is_said(database: Settings) -> None:
    with pytest.raises(NotEnoughData, match="has not finished a run"):
        read_scores(database)


def test_a_refused_first_run_tells_its_reason(database: Settings) -> None:
    run(database, RUN.format("refused", "Only 12 customers; 100 are needed."))
    with pytest.raises(NotEnoughData, match=r"was refused: Only 12 customers; 100 are needed\."):
        read_scores(database)


def test_an_unknown_order_is_refused(database: Settings) -> None:
    with pytest.raises(InvalidInput, match="no order 'age'"):
        read_scores(database, by="age")
