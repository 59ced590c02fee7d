"""The risk as of any moment is what the models say of what was known then, with no event, no refit and no batch."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import psycopg
import pytest
from psycopg.types.json import Jsonb

from consumer.store import prepare
from retentioncast.infra.postgres import connect
from retentioncast.infra.settings import Settings
from retentioncast.infra.sql import sql
from retentioncast.models import BetaGeo, ParetoNBD
from scorer.binary_copy import decode_rows
from scorer.bootstrap import score_once
from scorer.columns import CUSTOMERS
from scorer.leaving import curves_of, write_curves
from scorer.store import SQL, count_purchases
from tests.integration.consumer.test_store import replay, start_partitions
from tests.integration.scorer.mirror import (
    START,
    Bought,
    add_transactions,
    plausible_shop,
    set_stream_time,
    settle_totals,
    with_scorer,
)
from tests.stream import EPOCH, FakeShop

PROBABILITIES = ("probability_alive", "no_purchase_30d", "no_purchase_60d", "no_purchase_90d")
SAME_AS_IN_SCORES = (*PROBABILITIES, "inactive_30d", "inactive_60d", "inactive_90d", "as_of", "run_id")
NOT_IN_SCORES = ("days_since_purchase", "usual_gap_days", "overdue", "silence_if_alive")


@pytest.fixture
def shop(database: Settings) -> Settings:
    """A shop with plenty to fit, scored once as of day 300, by BG/NBD alone."""
    add_transactions(database, plausible_shop())
    add_transactions(
        database, [Bought(1, 250.0, kind="renewal", transaction_id=1), Bought(999, 5, kind="renewal", transaction_id=2)]
    )
    settle_totals(database)
    set_stream_time(database, 300)
    settings = with_scorer(database, judging={"enabled": False})
    assert score_once(settings).status == "published"
    return settings


def ask(settings: Settings, statement: str, parameters: Any = None) -> list[tuple[Any, ...]]:
    with connect(settings, "reader") as connection:
        return connection.execute(statement.encode(), parameters).fetchall()


def risk(settings: Settings, moment: datetime | None = None) -> dict[int, dict[str, Any]]:
    """By customer, as of the stream's clock or of a moment."""
    source = "scores.risk_now" if moment is None else "scores.risk_at(%s)"
    with connect(settings, "reader") as connection:
        cursor = connection.execute(f"select * from {source}".encode(), None if moment is None else (moment,))
        names = [column.name for column in cursor.description or ()]
        rows = [dict(zip(names, row, strict=True)) for row in cursor]
    return {row["customer_id"]: row for row in rows}


def test_the_columns_have_the_names_of_the_scores(shop: Settings) -> None:
    columns = ask(shop, """select attname from pg_attribute where attrelid = 'scores.risk_now'::regclass and attnum > 0
                           order by attnum""")  # fmt: skip
    assert [name for (name,) in columns] == ["customer_id", *SAME_AS_IN_SCORES[:7], *NOT_IN_SCORES, "as_of", "run_id"]
    scored = ask(shop, "select attname from pg_attribute where attrelid = 'scores.customer_scores'::regclass")
    assert {*SAME_AS_IN_SCORES, "customer_id"} <= {name for (name,) in scored}


def test_at_the_time_of_the_run_the_risk_is_what_was_scored(shop: Settings) -> None:
    found = risk(shop)
    scored = ask(shop, f"select customer_id, {', '.join(SAME_AS_IN_SCORES)} from scores.customer_scores")
    assert {row[0] for row in scored} == set(found) and len(found) == 301
    for customer_id, *values in scored:
        row = found[customer_id]
        assert [row[name] for name in SAME_AS_IN_SCORES[4:]] == values[4:]
        for name, value in zip(PROBABILITIES, values, strict=False):
            assert row[name] == (None if value is None else pytest.approx(value, abs=1e-9))


def test_a_quiet_customer_decays_with_no_event_and_no_refit(shop: Settings) -> None:
    moments = [set_stream_time(shop, 300 + days) for days in (0, 10, 40)]
    before, later, latest = (risk(shop, moment) for moment in moments)
    assert risk(shop) == latest
    purchases = {c: row for c, row in before.items() if row["no_purchase_30d"] is not None}
    assert len(purchases) == 300
    for customer_id in purchases:
        for first, second in ((before, later), (later, latest)):
            one, other = first[customer_id], second[customer_id]
            assert other["no_purchase_30d"] > one["no_purchase_30d"]
            assert other["probability_alive"] < one["probability_alive"] or one["probability_alive"] == 1
            assert other["silence_if_alive"] < one["silence_if_alive"]
    assert len(ask(shop, "select * from scores.model_runs")) == 1
    assert sum(row["inactive_30d"] for row in latest.values()) == 301


def test_a_purchase_shows_at_once_and_alone(shop: Settings) -> None:
    before = risk(shop)
    add_transactions(shop, [Bought(7, 299.25, transaction_id=3)])
    with connect(shop, "consumer") as connection:
        connection.execute(
            "update analytics.customer_totals set order_count = order_count + 1, latest_purchase = %s"
            " where customer_id = 7",
            (START + timedelta(days=299.25),),
        )
    after = risk(shop)
    assert [c for c in after if after[c] != before[c]] == [7]
    assert after[7]["days_since_purchase"] == 1 and not after[7]["inactive_30d"]


def test_overdue_is_the_silence_over_the_usual_gap(shop: Settings) -> None:
    add_transactions(shop, [Bought(5000, day, transaction_id=10 + day) for day in (100, 110, 120)])
    settle_totals(shop)
    row = risk(shop, START + timedelta(days=140))[5000]
    assert (row["days_since_purchase"], row["usual_gap_days"], row["overdue"]) == (20, 10.0, 2.0)
    ((parameters,),) = ask(shop, "select parameters from scores.purchase_models")
    r, alpha = parameters["r"], parameters["alpha"]
    assert row["silence_if_alive"] == pytest.approx(((alpha + 20 / 7) / (alpha + 40 / 7)) ** (r + 2), abs=1e-12)
    only_one = risk(shop, START + timedelta(days=105))[5000]
    assert (only_one["usual_gap_days"], only_one["overdue"], only_one["days_since_purchase"]) == (None, None, 5)


@pytest.mark.parametrize("seed", range(4))
def test_purchases_at_any_time_are_those_that_the_scorer_fits_with(database: Settings, seed: int) -> None:
    """Whatever happens to the rows, and whenever customers were last counted."""
    shop, chance = FakeShop(seed, partitions=2, customers=12), random.Random(seed)
    with connect(database, "consumer") as consumer, connect(database, "scorer", autocommit=True) as scorer:
        prepare(consumer)
        start_partitions(consumer)
        done = dict.fromkeys(range(4), 0)
        for turn in range(6):
            begun = len(shop.messages)
            shop.live(40)
            if turn == 4 and seed % 2:
                shop.truncate()
                shop.live(20)
            replay(consumer, shop.messages[begun:], chance, done)
            if turn % 2 == 0:
                count_purchases(scorer)
            for day in (0, *(chance.uniform(0, 400) for _ in range(3)), 1000):
                moment = EPOCH + timedelta(days=day)
                assert purchases_at(scorer, moment) == purchases_of_the_snapshot(scorer, moment)


def purchases_at(connection: psycopg.Connection, moment: datetime) -> list[tuple[Any, ...]]:
    rows = connection.execute(
        "select customer_id, frequency, recency_days, age_days, latest_order from scores.purchases_at(%s) order by 1",
        (moment,),
    )
    return rows.fetchall()


def purchases_of_the_snapshot(connection: psycopg.Connection, moment: datetime) -> list[tuple[Any, ...]]:
    with connection.cursor().copy(sql("snapshot.customers", SQL), {"as_of": moment}) as copy:
        columns = decode_rows(map(bytes, copy), CUSTOMERS)
    latest = [datetime.fromtimestamp(0, UTC) + timedelta(microseconds=int(each)) for each in columns["latest_order"]]
    numbers = [columns[name].tolist() for name in ("frequency", "recency_days", "age_days")]
    blank = [[None if np.isnan(value) else value for value in column] for column in numbers]
    return list(zip(columns["customer_id"].tolist(), *blank, latest, strict=True))


def test_a_look_at_one_customer_uses_indexes_alone(shop: Settings) -> None:
    with connect(shop, "reader") as connection:
        connection.execute("set enable_seqscan = off")
        ((plan,),) = connection.execute("explain (format json) select * from scores.risk_now where customer_id = 7")
    read = {node["Relation Name"]: node["Node Type"] for node in nodes(plan[0]["Plan"]) if "Relation Name" in node}
    found = {read[name] for name in ("customer_totals", "customer_purchases", "transactions")}
    assert found <= {"Index Scan", "Bitmap Heap Scan"}


def nodes(plan: dict[str, Any]) -> list[dict[str, Any]]:
    return [plan, *(each for child in plan.get("Plans", ()) for each in nodes(child))]


def test_any_number_of_days_can_be_asked_for(shop: Settings) -> None:
    moment = START + timedelta(days=310)
    model = fitted(shop)
    states = ask(shop, "select customer_id, frequency, recency_days / 7, age_days / 7 from scores.purchases_at(%s)"
                       " where frequency is not null order by 1", (moment,))  # fmt: skip
    ids, x, t_x, age = (np.array(column) for column in zip(*states, strict=True))
    for days in (0, 1, 45, 365, 5000):
        found = dict(ask(shop, "select customer_id, no_purchase from scores.no_purchase_at(%s, %s)", (days, moment)))
        expected = model.probability_no_purchase(days / 7, x, t_x, age)
        np.testing.assert_allclose([found[each] for each in ids.tolist()], expected, atol=1e-9, rtol=0)
        ((one,),) = ask(shop, "select scores.no_purchase(7, %s, %s)", (days, moment))
        assert one == found[7]
    ((now,),) = ask(shop, "select scores.no_purchase(7, 30)")
    assert now == risk(shop)[7]["no_purchase_30d"]
    assert ask(shop, "select scores.no_purchase(123456, 30)") == [(None,)]


def test_whoever_bought_since_the_refit_is_right_at_once_with_a_curve_or_without(shop: Settings) -> None:
    """Under Pareto/NBD, with curves of few frequencies: some changed to one that has a curve, some to one without."""
    model = ParetoNBD()
    model.params_ = {"r": 0.55, "alpha": 10.6, "s": 0.6, "beta": 11.7}
    ((run,),) = ask(shop, "select run_id from scores.in_force")
    with connect(shop, "owner") as connection:
        connection.execute(
            "update scores.purchase_models set family = 'Pareto/NBD', parameters = %s", (Jsonb(model.params_),)
        )
        write_curves(connection, run, curves_of([model], np.arange(4.0), np.full(4, 40.0)))
    add_transactions(shop, [Bought(c, 301.0 + c / 100, transaction_id=20 + c) for c in range(1, 60)])
    settle_totals(shop)
    moment = set_stream_time(shop, 310)
    states = ask(shop, "select customer_id, frequency, recency_days / 7, age_days / 7 from scores.purchases_at(%s)"
                       " where frequency is not null order by 1", (moment,))  # fmt: skip
    ids, x, t_x, age = (np.array(column) for column in zip(*states, strict=True))
    changed = ids < 60
    assert 0 < np.mean(x[changed] < 4) < 1 and np.all((age - t_x)[changed] < 2)
    found = risk(shop)
    for name, days in (("no_purchase_30d", 30), ("no_purchase_90d", 90)):
        expected = model.probability_no_purchase(days / 7, x, t_x, age)
        np.testing.assert_allclose([found[each][name] for each in ids.tolist()], expected, atol=1e-9, rtol=0)


def fitted(settings: Settings) -> BetaGeo:
    """The model in force."""
    model = BetaGeo()
    ((model.params_,),) = ask(settings, "select parameters from scores.purchase_models")
    return model


def test_before_the_first_run_there_is_no_risk(database: Settings) -> None:
    add_transactions(database, plausible_shop(20))
    settle_totals(database)
    set_stream_time(database, 300)
    assert risk(database) == {}
