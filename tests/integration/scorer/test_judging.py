"""Judged before published: on a real database, from the log to the verdict and to what became of the predictions."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any, LiteralString

import numpy as np
import pandas as pd
import pytest
from psycopg import sql
from scipy.special import expit, logit
from typer.testing import CliRunner

from retentioncast.cli import make_app
from retentioncast.infra.calibration import read_calibration
from retentioncast.infra.postgres import connect
from retentioncast.infra.settings import ScorerSettings, Settings
from retentioncast.models.arrays import Floats
from retentioncast.models.btyd.families import FAMILIES
from retentioncast.models.judging.recalibration import Curve
from retentioncast.models.judging.stack import Stack
from scorer import generation
from scorer.bootstrap import score_once
from scorer.models import rebuild
from scorer.part import Member, Part
from scorer.purchases import score_purchases
from scorer.runs import Run
from tests.integration.scorer.mirror import (
    START,
    add_transactions,
    plausible_shop,
    set_stream_time,
    settle_totals,
    with_scorer,
)


@pytest.fixture
def shop(database: Settings) -> Settings:
    add_transactions(database, plausible_shop(400))
    settle_totals(database)
    set_stream_time(database, 300)
    return with_scorer(database)


def rows(settings: Settings, query: LiteralString) -> list[Any]:
    with connect(settings, "reader") as connection:
        return connection.execute(query).fetchall()


def judgement(run: Run) -> dict[str, object]:
    assert run.parameters is not None
    told: dict[str, object] = run.parameters["judgement"]
    return told


def frame(settings: Settings, table: str, columns: list[str]) -> pd.DataFrame:
    """Columns of a table with a row a customer, by customer."""
    with connect(settings, "reader") as connection:
        query = sql.SQL("select {} from {} where no_purchase_30d is not null order by customer_id").format(
            sql.SQL(", ").join(map(sql.Identifier, columns)), sql.Identifier(*table.split("."))
        )
        return pd.DataFrame(connection.execute(query).fetchall(), columns=columns)


def state(settings: Settings, run: Run) -> tuple[Floats, Floats, Floats, Stack]:
    """(x, t_x, T) in weeks by customer, as SQL counts them, and the run's stack without its recalibration."""
    with connect(settings, "reader") as connection:
        query = "select family, weight, time_unit, parameters from scores.purchase_models where run_id = %s"
        stack = rebuild([Member(*row) for row in connection.execute(query, (run.run_id,)).fetchall()], None, FAMILIES)
        query = "select frequency, recency_days / 7, age_days / 7 from scores.purchases_at(%s) order by customer_id"
        x, t_x, age = np.array(connection.execute(query, (run.as_of,)).fetchall()).T
    assert stack is not None
    return x, t_x, age, stack


def of_days_taken_for_weeks(customers: pd.DataFrame, settings: ScorerSettings, *chosen: Any) -> Part:
    """A refit made worse on purpose."""
    return score_purchases(customers.assign(recency=7 * customers["recency"], T=7 * customers["T"]), settings, *chosen)


def test_a_refit_made_worse_on_purpose_is_refused_and_the_old_one_stays(
    shop: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = score_once(shop)
    assert good.status == "published", good.reason
    before = rows(shop, "select * from scores.customer_scores order by customer_id")

    monkeypatch.setattr(generation, "score_purchases", of_days_taken_for_weeks)
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
    [(wrong, contenders)] = rows(
        shop,
        "select max(abs(b.calibration_error - d.error) + abs(b.customers - d.n)), count(distinct contender)"
        " from scores.backtests as b join (select run_id, origin, horizon_days, contender, sum(n) as n,"
        " sum(abs(n * mean_predicted - happened)) / sum(n) as error from scores.backtest_deciles group by 1, 2, 3, 4)"
        " as d using (run_id, origin, horizon_days, contender)",
    )
    assert float(str(wrong)) < 1e-9 and contenders == len([n for n in names if n != "same count"])
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


#: As of day 200, so that by day 300 all horizons have passed.
JULY_20 = START.replace(month=7, day=20)


def calibration(*arguments: str) -> str:
    """What `retentioncast calibration` prints."""
    done = CliRunner().invoke(make_app(), ["calibration", *arguments])
    assert done.exit_code == 0, done.output
    return done.output


def test_predictions_are_kept_and_held_against_what_happened_and_the_command_tells_of_it(
    shop: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("retentioncast.infra.settings.load_settings", lambda: shop)
    score_once(shop, JULY_20)
    kept = rows(shop, "select horizon_days, count(*), count(happened) from scores.predictions group by 1 order by 1")
    assert [row[0] for row in kept] == [30, 60, 90] and all(row[2] == 0 for row in kept)
    told: dict[int, float] = dict(rows(shop, "select customer_id, no_purchase_60d from scores.customer_scores"))
    early = calibration()
    assert "No prediction has met its horizon yet" in early and "Backtest of run 1, 30 days" in early
    assert "60 days:" in calibration("--horizon", "60") and "30 days:" not in calibration("--horizon", "60")
    [of_30] = re.findall(r"Backtest of run 1, 30 days.*?\n *tenth.*?\n(.*?)\nBacktest", early, re.DOTALL)
    told_as_json = json.loads(calibration("--json", "--plot", str(tmp_path / "backtest.png")))
    deciles = [row for row in told_as_json["backtest_deciles"] if row["horizon_days"] == 30]
    assert len(of_30.splitlines()) == len(deciles) > 3
    assert (tmp_path / "backtest.png").stat().st_size > 10_000
    assert told_as_json["calibration"] == []

    # What the shop took back did not happen.
    with connect(shop, "consumer") as connection:
        connection.execute("update analytics.transactions set deleted = true"
                           " where mod(customer_id, 10) = 0 and occurred_at > %s", (JULY_20,))  # fmt: skip
    score_once(shop)
    settled = rows(
        shop,
        "select customer_id, probability, happened, not exists (select from analytics.transactions as t"
        " where t.customer_id = p.customer_id and not t.deleted and (t.occurred_at at time zone 'UTC')::date"
        "       between date '2026-07-21' and date '2026-09-18')"
        " from scores.predictions as p where run_id = 1 and horizon_days = 60",
    )
    assert len(settled) == len(told)
    assert all(probability == told[customer] for customer, probability, _, _ in settled)
    assert all(happened == expected for *_, happened, expected in settled)
    assert {happened for customer, _, happened, _ in settled if customer % 10 == 0} == {True}

    tenths = read_calibration(shop, horizon=60)
    assert sum(row["n"] for row in tenths) == len(told)
    assert sum(row["happened"] for row in tenths) == sum(bool(row[2]) for row in settled)
    assert max(abs(row["mean_predicted"] - row["happened"] / row["n"]) for row in tenths) < 0.3

    late = calibration("--plot", str(tmp_path / "calibration.png"))
    assert "No purchase within 90 days: 1 run, as of 2026-07-20, " in late and "Calibration error" in late
    assert (tmp_path / "calibration.png").read_bytes().startswith(b"\x89PNG")
    printed = json.loads(calibration("--json"))["calibration"]
    assert {row["horizon_days"] for row in printed} == {30, 60, 90}
    assert all(row["low"] <= row["share"] <= row["high"] for row in printed)


def test_predictions_are_kept_once_in_so_many_days(database: Settings) -> None:
    add_transactions(database, plausible_shop(1000, days=115))
    for day in (101, 104, 110, 112):
        set_stream_time(database, day)
        assert score_once(with_scorer(database)).status == "published"
    assert rows(database, "select array_agg(distinct run_id order by run_id) from scores.predictions") == [([1, 4],)]


def test_predictions_made_while_the_past_was_pouring_in_do_not_count(database: Settings) -> None:
    """Half of the customers were still on their way when the first ones were scored."""
    bought = plausible_shop(400)
    add_transactions(database, [row for row in bought if row.customer_id % 2])
    set_stream_time(database, 200)
    settings = with_scorer(database)
    assert score_once(settings).status == "published"
    assert rows(database, "select count(*) > 0 from scores.predictions") == [(True,)]
    add_transactions(database, [row for row in bought if not row.customer_id % 2], first=2_000_000)
    settle_totals(database)
    set_stream_time(database, 300)
    score_once(settings)
    assert rows(database, "select distinct run_id from scores.predictions") == [(2,)]
    assert rows(database, "select count(*) from scores.calibration") == [(0,)]


def matured(settings: Settings, run: int, shift: float) -> None:
    """Three days' predictions of that run's stack whose horizon has passed: of 30,000, none seen to be sure, too many
    came back by `shift` on the logit's scale."""
    rng = np.random.default_rng(1)
    told = rng.beta(3.0, 1.5, 30_000)
    happened = rng.random(told.size) < expit(logit(told) - shift)
    with connect(settings, "scorer") as connection:
        connection.execute("delete from scores.predictions")
        for i, day in enumerate((100, 130, 160)):
            own = connection.execute(
                "insert into scores.model_runs (started_at, as_of, status, reason, duration_s, code_version)"
                " values (now(), %s, 'published', '', 1, '0') returning run_id",
                (START + timedelta(days=day),),
            ).fetchone()
            assert own is not None
            connection.execute(
                "insert into scores.purchase_models (run_id, member, family, weight, time_unit, parameters)"
                " select %s, member, family, weight, time_unit, parameters from scores.purchase_models"
                " where run_id = %s",
                (own[0], run),
            )
            part = slice(i, None, 3)
            connection.execute(
                "insert into scores.predictions (run_id, horizon_days, customer_id, probability, uncalibrated, as_of,"
                " happened) select %s, 30, 1000 + i, p, p, %s, h"
                " from unnest(%s::float8[], %s::boolean[]) with ordinality as u (p, h, i)",
                (own[0], START + timedelta(days=day), told[part].tolist(), happened[part].tolist()),
            )


def test_what_matured_predictions_show_to_be_off_is_set_right_in_scores_and_in_sql(shop: Settings) -> None:
    first = score_once(shop)
    assert first.run_id is not None and judgement(first)["recalibration"] is None
    assert len(rows(shop, "select * from scores.purchase_models")) > 1, "a stack of several is what this is about"
    matured(shop, first.run_id, shift=0.12)

    run = score_once(shop)
    told: Any = judgement(run)
    assert run.status == "published", run.reason
    assert told["recalibration_from"] == "matured predictions" and told["recalibration_gain"]["mean"] > 0
    curve = Curve(**told["recalibration"])
    found = rows(shop, f"select method, parameters from scores.recalibrations where run_id = {run.run_id}")
    assert found == [(curve.method, curve.parameters)]
    middle = np.array([0.6])
    assert curve(middle) == pytest.approx(expit(logit(middle) - 0.12), abs=0.015)

    names = [f"no_purchase_{days}d" for days in (30, 60, 90)]
    published = frame(shop, "scores.customer_scores", ["probability_alive", *names])
    live = frame(shop, "scores.risk_now", ["probability_alive", *names])
    np.testing.assert_allclose(live, published, rtol=0, atol=1e-9)
    x, t_x, age, stack = state(shop, run)
    for days, name in zip((30, 60, 90), names, strict=True):
        plain = stack.probability_no_purchase(days / 7, x, t_x, age)
        np.testing.assert_allclose(published[name], curve(plain), rtol=0, atol=1e-9)
        assert np.abs(published[name] - plain).max() > 0.01
