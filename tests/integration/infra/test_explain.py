"""Why a score moved, on a real database: the parts lead from what was scored then to the risk now."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from retentioncast.core.errors import InvalidInput, NotEnoughData
from retentioncast.infra.explain import UNIT, Explanation, explain
from retentioncast.infra.postgres import connect
from retentioncast.infra.settings import Settings
from scorer.bootstrap import score_once
from tests.integration.scorer.mirror import (
    START,
    Bought,
    add_transactions,
    plausible_shop,
    set_stream_time,
    settle_totals,
    with_scorer,
)

#: Beside the plausible shop: 5000 buys, gives one back and buys again; 5001 comes late; 5002 gives all back.
HAPPENED = [
    Bought(5000, 100, transaction_id=10), Bought(5000, 130, transaction_id=11), Bought(5000, 210, transaction_id=12),
    Bought(5000, 230, "10.00", "refund", 13, 12), Bought(5000, 250, transaction_id=14),
    Bought(5001, 240, transaction_id=20),
    Bought(5002, 100, transaction_id=30), Bought(5002, 260, "10.00", "refund", 31, 30),
    Bought(5003, 100, "9.00", "renewal", 40),
]  # fmt: skip


@pytest.fixture
def shop(database: Settings) -> Settings:
    """Scored as of day 200 and day 280."""
    add_transactions(database, [*plausible_shop(), *HAPPENED])
    settle_totals(database)
    settings = with_scorer(database)
    for day in (200, 280):
        set_stream_time(database, day)
        assert score_once(settings).status == "published"
    set_stream_time(database, 290)
    with connect(database, "consumer") as connection:
        connection.execute(
            "insert into analytics.customers (customer_id, commit_lsn, lsn, deleted)"
            " select distinct customer_id, 1, 1, false from analytics.transactions"
        )
    return settings


def at_risk(settings: Settings, customer: int) -> tuple[Decimal, Decimal]:
    with connect(settings, "reader") as connection:
        row = connection.execute(
            "select no_purchase_30d, probability_alive from scores.risk_now where customer_id = %s", (customer,)
        ).fetchone()
    assert row is not None
    return Decimal(row[0]).quantize(UNIT), Decimal(row[1]).quantize(UNIT)


def kinds(explanation: Explanation) -> list[str]:
    return [part.what for part in explanation.parts]


def test_the_parts_lead_from_the_score_then_to_the_risk_now(shop: Settings) -> None:
    told = explain(shop, 5000, START + timedelta(days=205))
    assert kinds(told) == ["time", "purchase", "time", "refund", "time", "purchase", "time", "refit"]
    assert (told.run_then, told.run_now) == (1, 2)
    assert (told.end.no_purchase_30d, told.end.probability_alive) == at_risk(shop, 5000)
    assert told.start.no_purchase_30d + sum(part.no_purchase_30d for part in told.parts) == told.end.no_purchase_30d
    assert told.start.probability_alive + sum(p.probability_alive for p in told.parts) == told.end.probability_alive
    by_kind = {kind: [p.no_purchase_30d for p in told.parts if p.what == kind] for kind in set(kinds(told))}
    assert all(change > 0 for change in by_kind["time"])
    assert all(change < 0 for change in by_kind["purchase"])
    assert by_kind["refund"][0] > 0 and by_kind["refit"][0] != 0


def test_the_parts_add_up_for_everybody(shop: Settings) -> None:
    for customer in range(1, 301, 15):
        try:
            told = explain(shop, customer, START + timedelta(days=200))
        except InvalidInput:
            continue
        assert sum(p.no_purchase_30d for p in told.parts) == told.end.no_purchase_30d - told.start.no_purchase_30d
        assert (told.end.no_purchase_30d, told.end.probability_alive) == at_risk(shop, customer)


def test_at_the_time_of_a_run_it_begins_with_what_was_scored(shop: Settings) -> None:
    told = explain(shop, 5000)
    assert (told.run_then, told.since) == (2, START + timedelta(days=280))
    assert kinds(told) == ["time"]
    with connect(shop, "reader") as connection:
        row = connection.execute(
            "select no_purchase_30d from scores.customer_scores where customer_id = 5000"
        ).fetchone()
    assert row is not None and told.start.no_purchase_30d == Decimal(row[0]).quantize(UNIT)


@pytest.mark.parametrize(
    ("customer", "day", "reason"),
    [
        (77777, 205, "There is no customer 77777"),
        (5001, 205, r"Customer 5001 had no purchase yet at 2026-07-25 .* The first was at 2026-08-29T12:00:00Z"),
        (5002, 205, "No purchase of customer 5002 stands any more"),
        (5003, 205, "Customer 5003 has no purchase"),
        (5000, 150, "No run had been published at 2026-05-31 .* The first is run 1: ask --since 2026-07-20T12:00:00Z"),
        (5000, 291, "The stream has come to 2026-10-18"),
    ],
)
def test_what_cannot_be_explained_is_told_with_the_next_step(
    shop: Settings, customer: int, day: int, reason: str
) -> None:
    with pytest.raises(InvalidInput) as raised:
        explain(shop, customer, START + timedelta(days=day))
    assert raised.match(reason)


def test_before_the_first_run_that_is_said(database: Settings) -> None:
    with pytest.raises(NotEnoughData, match="no scores yet"):
        explain(database, 1)
