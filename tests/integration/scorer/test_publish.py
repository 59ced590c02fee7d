"""One whole generation or none: readers never see a mix, and what goes wrong leaves the last scores in force."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

from retentioncast.core.errors import FitFailed
from retentioncast.infra.postgres import connect
from retentioncast.infra.settings import Settings
from retentioncast.models.btyd.leaving_curves import LeavingCurves
from retentioncast.models.judging.recalibration import Curve
from scorer import generation, runs
from scorer.bootstrap import score_once
from scorer.generation import Generation
from scorer.part import Member, Part
from scorer.purchases import score_purchases
from scorer.runs import Run
from scorer.store import PostgresStore
from tests.integration.scorer.mirror import add_transactions, plausible_shop, set_stream_time, with_scorer

LATER = datetime(2026, 6, 1, tzinfo=UTC)


@pytest.fixture
def shop(database: Settings) -> Settings:
    """A shop with plenty to fit."""
    add_transactions(database, plausible_shop())
    set_stream_time(database, 300)
    return with_scorer(database)


def in_force(settings: Settings) -> list[tuple[int, int]]:
    """Runs that readers see, with their number of customers."""
    with connect(settings, "reader") as connection:
        return connection.execute("select run_id, count(*) from scores.customer_scores group by 1").fetchall()


def model_runs(settings: Settings) -> list[tuple[str, str]]:
    with connect(settings, "reader") as connection:
        return connection.execute("select status, reason from scores.model_runs order by run_id").fetchall()


def failing_purchases(*_: object) -> None:
    raise FitFailed("parameter b runs off to infinity.", "Wait.")


def test_a_run_replaces_the_scores_of_the_last_one(shop: Settings) -> None:
    first, second = score_once(shop), score_once(shop)
    assert (first.status, second.status) == ("published", "published")
    assert in_force(shop) == [(second.run_id, 300)]
    assert second.customers == 300 and second.duration_s > 0


def test_a_run_leaves_the_models_that_it_predicts_with_and_those_of_earlier_runs_stay(shop: Settings) -> None:
    first, second = score_once(shop), score_once(shop)
    with connect(shop, "reader") as connection:
        rows = connection.execute("select * from scores.purchase_models order by run_id").fetchall()
        force = connection.execute("select run_id, as_of, customers from scores.in_force").fetchall()
    purchase = (first.parameters or {})["purchase"]
    told = [(m["model"], m["weight"], m["parameters"]) for m in purchase.get("members", [purchase])]
    for run in (first, second):
        assert [(row[2], row[3], row[5]) for row in rows if row[0] == run.run_id] == told
    assert force == [(second.run_id, second.as_of, 300)]


def test_a_stack_and_its_recalibration_are_kept(shop: Settings) -> None:
    members = tuple(Member("BG/NBD", weight, "week", {"r": 0.1 + weight}) for weight in (0.25, 0.75))
    curve = Curve("isotonic", {"x": [0.0, 1.0], "y": [0.1, 0.9]})
    run = _publish(shop, lambda: 1.0, members, curve)
    with connect(shop, "reader") as connection:
        models = connection.execute("select * from scores.purchase_models order by member").fetchall()
        found = connection.execute("select * from scores.recalibrations").fetchall()
    assert models == [(run.run_id, i, "BG/NBD", m.weight, "week", m.parameters) for i, m in enumerate(members)]
    assert found == [(run.run_id, curve.method, curve.parameters)]


def test_the_curves_of_leaving_are_those_of_the_run_in_force(shop: Settings) -> None:
    members = (Member("BG/NBD", 0.5, "week", {"r": 0.5}), Member("Pareto/NBD", 0.5, "week", {"r": 0.6}))
    breaks, coefficients = np.array([0.0, 1.5, 4.0]), np.arange(40.0).reshape(2, 2, 10)
    first = (None, LeavingCurves(np.array([0.0, 3.0]), breaks, coefficients))
    for curves in (first, (None, LeavingCurves(np.array([0.0, 2.0]), breaks, coefficients + 1))):
        run = _publish(shop, lambda: 1.0, members, leaving=curves)
        with connect(shop, "reader") as connection:
            found = connection.execute("select * from scores.leaving_curves order by frequency").fetchall()
        kept = curves[1]
        assert found == [
            (run.run_id, 1, int(frequency), breaks.tolist(), pieces.ravel().tolist())
            for frequency, pieces in zip(kept.frequency, kept.coefficients, strict=True)
        ]


def test_a_failed_fit_leaves_the_last_scores_and_writes_why(shop: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    good = score_once(shop)
    monkeypatch.setattr(generation, "score_purchases", failing_purchases)
    bad = score_once(shop)
    assert bad.status == "failed"
    assert in_force(shop) == [(good.run_id, 300)]
    assert model_runs(shop)[1] == ("failed", "parameter b runs off to infinity. Wait.")


def test_a_shop_that_lost_its_purchases_keeps_the_last_scores(shop: Settings) -> None:
    good = score_once(shop)
    with connect(shop, "consumer") as connection:
        connection.execute("update analytics.transactions set deleted = true where customer_id > 20")
    assert score_once(shop).status == "refused"
    assert in_force(shop) == [(good.run_id, 300)]
    assert "20 customers have made a purchase; 100 are needed" in model_runs(shop)[1][1]


def test_nonsense_in_the_scores_never_reaches_a_reader(shop: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    good = score_once(shop)
    real = score_purchases

    def nonsense(*arguments: object) -> Part:
        part = real(*arguments)  # type: ignore[arg-type]
        return replace(part, scores=part.scores.assign(no_purchase_30d=1.5))

    monkeypatch.setattr(generation, "score_purchases", nonsense)
    assert score_once(shop).status == "refused"
    assert in_force(shop) == [(good.run_id, 300)]


def test_while_a_generation_is_being_written_readers_see_the_last_one_whole(shop: Settings) -> None:
    good = score_once(shop)
    seen: list[list[tuple[int, int]]] = []

    def look() -> float:
        seen.append(in_force(shop))
        return 1.0

    done = _publish(shop, look)
    assert seen == [[(good.run_id, 300)]]
    assert in_force(shop) == [(done.run_id, 1)]


def test_a_writer_that_dies_in_the_middle_leaves_the_last_generation_whole(shop: Settings) -> None:
    good = score_once(shop)

    def die() -> float:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        _publish(shop, die)
    assert in_force(shop) == [(good.run_id, 300)]
    assert len(model_runs(shop)) == 1
    with connect(shop, "reader") as connection:
        assert connection.execute("select distinct run_id from scores.purchase_models").fetchall() == [(good.run_id,)]


def test_a_connection_lost_on_the_way_leaves_the_last_scores_and_writes_why(
    shop: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = score_once(shop)
    real = generation.make_generation

    def cut(*arguments: object) -> Generation:
        with connect(shop, "owner", autocommit=True) as connection:
            connection.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where application_name = 'retentioncast-score' and datname = current_database()"
            )
        return real(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(runs, "make_generation", cut)
    bad = score_once(shop)
    assert bad.status == "failed" and "Postgres did not let the scorer publish" in bad.reason
    assert in_force(shop) == [(good.run_id, 300)]
    assert [status for status, _ in model_runs(shop)] == ["published", "failed"]


def test_two_scorers_at_once_take_turns(shop: Settings) -> None:
    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(lambda _: score_once(shop), range(2)))
    assert [run.status for run in done] == ["published", "published"]
    assert in_force(shop) == [(max(run.run_id or 0 for run in done), 300)]


def test_the_same_data_and_seed_give_the_same_scores(shop: Settings) -> None:
    frames = []
    for _ in range(2):
        score_once(shop)
        with connect(shop, "reader") as connection:
            rows = connection.execute("select * from scores.customer_scores order by customer_id").fetchall()
        frames.append([row[:-1] for row in rows])
    assert frames[0] == frames[1]


def _publish(
    settings: Settings,
    elapsed_s: Callable[[], float],
    members: tuple[Member, ...] = (),
    recalibration: Curve | None = None,
    leaving: tuple[LeavingCurves | None, ...] = (),
) -> Run:
    """Publish a generation of one customer."""
    scores = pd.DataFrame({"no_purchase_30d": [0.5]}, index=pd.Index([1], name="customer_id"))
    with connect(settings, "scorer", autocommit=True) as connection:
        store = PostgresStore(connection, lambda: connection)
        run = Run(LATER, "0", "published", as_of=LATER)
        return store.publish(run, Generation(scores, {}, (), None, members, recalibration, leaving), elapsed_s)
