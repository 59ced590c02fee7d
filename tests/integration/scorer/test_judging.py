"""Judged before published: on a real database, from the log to the verdict and to what became of the predictions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, LiteralString

import pandas as pd
import pytest
from typer.testing import CliRunner

from retentioncast.cli import make_app
from retentioncast.infra.calibration import read_calibration
from retentioncast.infra.postgres import connect
from retentioncast.infra.settings import ScorerSettings, Settings
from retentioncast.models.judging.recalibration import Curve
from scorer import generation
from scorer.bootstrap import score_once
from scorer.part import Part
from scorer.purchases import score_purchases
from scorer.runs import Run
from scorer.snapshot import StoredModels
from tests.integration.scorer.mirror import (
    START,
    Bought,
    add_transactions,
    plausible_shop,
    set_stream_time,
    with_scorer,
)


@pytest.fixture
def shop(database: Settings) -> Settings:
    add_transactions(database, plausible_shop(600))
    set_stream_time(database, 300)
    return with_scorer(database)


def rows(settings: Settings, query: LiteralString) -> list[Any]:
    with connect(settings, "reader") as connection:
        return connection.execute(query).fetchall()


def judgement(run: Run) -> dict[str, object]:
    assert run.parameters is not None
    told: dict[str, object] = run.parameters["judgement"]
    return told


def of_half_the_customers(
    customers: pd.DataFrame,
    settings: ScorerSettings,
    weights: Mapping[str, float],
    curve: Curve | None,
    stored: StoredModels,
) -> Part:
    """A data window gone wrong: all who bought again lately are lost."""
    lost = customers["T"] - customers["recency"] < 6
    part = score_purchases(customers[~lost], settings, weights, curve, stored)
    whole = score_purchases(customers, settings, weights, curve, stored)
    return Part(whole.scores, part.parameters, (), part.log_likelihood, part.has_money, part.members, model=part.model)


def test_a_refit_made_worse_on_purpose_is_refused_and_the_old_one_stays(
    shop: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = score_once(shop)
    assert good.status == "published", good.reason
    before = rows(shop, "select * from scores.customer_scores order by customer_id")

    monkeypatch.setattr(generation, "score_purchases", of_half_the_customers)
    bad = score_once(shop)
    assert bad.status == "refused"
    assert f"Run {good.run_id} is in force and stays so. The refit is clearly worse than the run in force" in bad.reason
    assert rows(shop, "select * from scores.customer_scores order by customer_id") == before

    told = rows(
        shop,
        "select parameters->'judgement'->>'verdict',"
        " (parameters->'judgement'->'against'->'in force'->'log_score'->>'mean')::float8 < -0.002"
        " from scores.model_runs order by run_id desc limit 1",
    )
    assert told == [("refuse", True)]
    query = "select contender, avg(log_score) from scores.backtests group by run_id, 1 order by run_id"
    measured: dict[str, float] = dict(rows(shop, query))
    assert measured["refit"] < measured["in force"]

    monkeypatch.undo()
    assert score_once(shop).status == "published"


def test_every_contender_stands_in_a_table_to_be_asked_and_the_verdict_with_the_run(shop: Settings) -> None:
    run = score_once(shop)
    told = judgement(run)
    assert told["verdict"] == "publish" and told["reason"] == "Nothing is in force to compare with."
    found = rows(shop, "select contender, count(*), min(customers) from scores.backtests group by 1 order by 1")
    names = [str(row[0]) for row in found]
    assert {"chosen", "refit", "base rate", "same count", "own rate", "RFM logistic", "BG/NBD"} <= set(names)
    assert all(int(str(row[2])) > 100 for row in found)
    [(members,)] = rows(shop, "select jsonb_object_agg(family, weight) from scores.purchase_models")
    assert members == told["weights"]


def test_after_the_shop_changed_the_refit_is_published_as_clearly_better(database: Settings) -> None:
    """Its customers came twice a week; for four months they have come a sixth as often."""
    bought = plausible_shop(600, days=500)
    kept = [row for i, row in enumerate(bought) if row.day < 380 or i % 6 == 0]
    add_transactions(database, kept)
    set_stream_time(database, 380)
    settings = with_scorer(database)
    assert score_once(settings).status == "published"
    set_stream_time(database, 500)
    later = score_once(settings)
    assert later.status == "published", later.reason
    assert "clearly better than the run in force" in str(judgement(later)["reason"])


def test_a_young_shop_is_scored_and_told_that_it_was_not_backtested(database: Settings) -> None:
    add_transactions(database, plausible_shop(1000, days=115))
    set_stream_time(database, 115)
    run = score_once(with_scorer(database))
    assert run.status == "published"
    assert "Not backtested: the log covers 115 days; a backtest needs 120" in run.reason
    assert judgement(run)["verdict"] == "not backtested"


def test_predictions_are_kept_and_held_against_what_happened(shop: Settings) -> None:
    """As of day 200, then day 300: 30, 60 and 90 days have passed, and each outcome is in the log."""
    score_once(shop, START.replace(month=7, day=20))
    kept = rows(shop, "select horizon_days, count(*), count(happened) from scores.predictions group by 1 order by 1")
    assert [row[0] for row in kept] == [30, 60, 90] and all(row[2] == 0 for row in kept)
    told: dict[int, float] = dict(rows(shop, "select customer_id, no_purchase_60d from scores.customer_scores"))

    score_once(shop)
    settled = rows(
        shop,
        "select customer_id, probability, happened, not exists (select from analytics.transactions as t"
        " where t.customer_id = p.customer_id and (t.occurred_at at time zone 'UTC')::date"
        "       between date '2026-07-21' and date '2026-09-18')"
        " from scores.predictions as p where run_id = 1 and horizon_days = 60",
    )
    assert len(settled) == len(told)
    assert all(probability == told[customer] for customer, probability, _, _ in settled)
    assert all(happened == expected for *_, happened, expected in settled)

    tenths = read_calibration(shop, horizon=60)
    assert sum(row["n"] for row in tenths) == len(told)
    assert sum(row["happened"] for row in tenths) == sum(bool(row[2]) for row in settled)
    assert max(abs(row["mean_predicted"] - row["happened"] / row["n"]) for row in tenths) < 0.25


def test_predictions_are_kept_once_in_so_many_days(shop: Settings) -> None:
    for day in (200, 203, 209, 211):
        set_stream_time(shop, day)
        score_once(shop)
    assert rows(shop, "select count(distinct run_id) from scores.predictions") == [(2,)]


def test_a_deleted_purchase_is_none(database: Settings) -> None:
    """What the shop took back did not happen: neither a purchase refunded in full nor one that was deleted."""
    add_transactions(database, [*plausible_shop(300), Bought(1, 210.0, transaction_id=5), Bought(2, 210.0)])
    set_stream_time(database, 200)
    settings = with_scorer(database)
    score_once(settings)
    with connect(database, "consumer") as connection:
        connection.execute("update analytics.transactions set deleted = true where customer_id in (1, 2)"
                           " and occurred_at > %s", (START.replace(month=7, day=20),))  # fmt: skip
    set_stream_time(database, 300)
    score_once(settings)
    query = "select distinct happened from scores.predictions where customer_id = 1 and happened is not null"
    assert rows(database, query) == [(True,)]


def test_the_command_tells_of_the_backtest_and_then_of_what_happened_and_draws_it(
    shop: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("retentioncast.infra.settings.load_settings", lambda: shop)
    score_once(shop, START.replace(month=7, day=20))
    early = CliRunner().invoke(make_app(), ["calibration"])
    assert early.exit_code == 0, early.output
    assert "No prediction has met its horizon yet" in early.output and "Backtest of run 1, 30 days" in early.output
    assert json.loads(CliRunner().invoke(make_app(), ["calibration", "--json"]).output)["calibration"] == []

    score_once(shop)
    file = tmp_path / "calibration.png"
    late = CliRunner().invoke(make_app(), ["calibration", "--plot", str(file)])
    assert late.exit_code == 0, late.output
    assert "No purchase within 90 days" in late.output and "Calibration error" in late.output
    assert file.read_bytes().startswith(b"\x89PNG")
    rows_told = json.loads(CliRunner().invoke(make_app(), ["calibration", "--json"]).output)["calibration"]
    assert {row["horizon_days"] for row in rows_told} == {30, 60, 90}
    assert all(row["low"] <= row["share"] <= row["high"] for row in rows_told)
