"""Shops of every kind: with subscriptions, without, of one-time buyers, empty."""

from __future__ import annotations

import pytest

from retentioncast.infra.postgres import connect
from retentioncast.infra.settings import Settings
from scorer.bootstrap import score_once
from scorer.runs import Run
from tests.integration.scorer.mirror import (
    START,
    Bought,
    Subscribed,
    add_subscriptions,
    add_transactions,
    plausible_shop,
    set_stream_time,
    subscribers,
    with_scorer,
)


def one(settings: Settings, query: str) -> tuple[object, ...]:
    with connect(settings, "reader") as connection:
        row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return row


def test_an_empty_database_is_refused_with_the_reason_on_record(database: Settings) -> None:
    run = score_once(database)
    assert run.status == "refused" and "nothing has come through" in run.reason
    found = one(database, "select status, reason, as_of, customers from scores.model_runs")
    assert found == ("refused", run.reason, None, None)


def test_a_stream_without_orders_yet_is_refused(database: Settings) -> None:
    set_stream_time(database, 1)
    run = score_once(database)
    assert run.status == "refused" and "no order and no subscription" in run.reason


def test_a_shop_of_one_time_buyers_is_refused_and_says_what_is_missing(database: Settings) -> None:
    add_transactions(database, [Bought(customer, customer % 90) for customer in range(200)])
    set_stream_time(database, 100)
    run = score_once(database)
    assert run.status == "refused"
    assert "repeat buyers" in run.reason
    assert one(database, "select count(*) from scores.customer_scores") == (0,)


def test_a_shop_where_everything_costs_the_same_has_probabilities_but_no_values(database: Settings) -> None:
    add_transactions(database, [Bought(row.customer_id, row.day) for row in plausible_shop()])
    set_stream_time(database, 300)
    run = score_once(with_scorer(database))
    assert run.status == "published" and "No money columns: " in run.reason
    counts = "count(*), count(no_purchase_30d), count(expected_orders_90d), count(residual_value)"
    assert one(database, f"select {counts} from scores.customer_scores") == (300, 300, 300, 0)


@pytest.fixture
def mixed(database: Settings) -> Settings:
    """Customers 1 to 300 purchase, 1 to 200 have subscribed; 1001 has two subscriptions and never bought anything."""
    add_transactions(database, plausible_shop())
    add_subscriptions(database, [*subscribers(), Subscribed(1001, 100), Subscribed(1001, 200, plan="pro", price="29")])
    set_stream_time(database, 300)
    return with_scorer(database)


def test_a_subscriber_has_a_survival_that_falls_with_the_horizon(mixed: Settings) -> None:
    run = score_once(mixed)
    assert run.status == "published", run.reason
    assert run.parameters is not None
    assert run.parameters["subscription"]["model"] == "Cox"
    assert run.parameters["subscription"]["n_subscriptions"] == 202
    active = one(mixed, "select count(distinct customer_id) from analytics.subscriptions where cancelled_at is null")
    falling = "0 < s90 and s90 < s60 and s60 < s30 and s30 < 1"
    columns = ", ".join(f"subscription_survival_{days}d as s{days}" for days in (30, 60, 90))
    scored = f"select {columns} from scores.customer_scores where subscription_survival_30d is not null"
    assert one(mixed, f"select count(*) filter (where {falling}) from ({scored})") == active


def test_the_plan_that_is_cancelled_sooner_has_the_lower_survival(mixed: Settings) -> None:
    score_once(mixed)
    query = """
        select avg(subscription_survival_90d) filter (where plan = 'pro')
             > avg(subscription_survival_90d) filter (where plan = 'basic') + 0.05
        from scores.customer_scores join analytics.subscriptions using (customer_id) where cancelled_at is null"""
    assert one(mixed, query) == (True,)


def test_a_subscriber_who_never_ordered_has_survival_and_nothing_else(mixed: Settings) -> None:
    score_once(mixed)
    query = """
        select subscription_survival_30d > 0.5, probability_alive, no_purchase_30d, inactive_30d, residual_value
        from scores.customer_scores where customer_id = 1001"""
    assert one(mixed, query) == (True, None, None, None, None)


def test_a_shop_of_subscriptions_alone_is_scored_and_renewals_are_no_repeat_purchases(database: Settings) -> None:
    rows = subscribers()
    add_subscriptions(database, rows)
    renewals = [Bought(row.customer_id, day, kind="renewal") for row in rows for day in (row.day, row.day + 9.5)]
    add_transactions(database, renewals)
    set_stream_time(database, 300)
    run = score_once(database)
    assert run.status == "published", run.reason
    assert "Repeat buying not scored: 0 customers have made a purchase" in run.reason
    counts = "count(subscription_survival_30d) > 50, count(no_purchase_30d), count(inactive_30d)"
    assert one(database, f"select {counts} from scores.customer_scores") == (True, 0, 200)


def test_inactive_follows_the_latest_order_of_any_kind(mixed: Settings) -> None:
    add_transactions(mixed, [Bought(1, 280, kind="renewal", transaction_id=5), Bought(2, 299, transaction_id=6)])
    score_once(mixed)
    query = f"""
        select count(*) filter (where inactive_60d = (at < timestamptz '{START}' + interval '240 days')), count(*)
        from scores.customer_scores
        join (select customer_id, max(occurred_at) as at from analytics.transactions group by 1) using (customer_id)"""
    assert one(mixed, query) == (300, 300)


def test_scores_as_of_an_earlier_day_are_those_that_were_published_then(database: Settings) -> None:
    rows = plausible_shop(days=300)
    settings = with_scorer(database)
    add_transactions(settings, [row for row in rows if row.day <= 200])
    set_stream_time(settings, 200)
    then = score_once(settings)
    columns = "customer_id, no_purchase_30d, no_purchase_30d_low, inactive_30d, residual_value_high, as_of"
    query = f"select array_agg(({columns}) order by customer_id)::text from scores.customer_scores"
    published = one(settings, query)
    late = [Bought(r.customer_id, r.day, r.amount, transaction_id=i) for i, r in enumerate(rows) if r.day > 200]
    add_transactions(settings, late)
    set_stream_time(settings, 300)
    assert _models(score_once(settings, then.as_of)) == _models(then)
    assert one(settings, query) == published
    assert _models(score_once(settings)) != _models(then)


def _models(run: Run) -> dict[str, object]:
    """All that was fitted: what it was compared with, the run in force, is another one each time."""
    return {name: told for name, told in (run.parameters or {}).items() if name != "judgement"}
