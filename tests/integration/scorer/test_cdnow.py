"""CDNOW as of the end of its calibration gives the published parameters, although the log goes on for nine months."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from retentioncast.infra.postgres import connect
from retentioncast.infra.settings import Settings
from scorer.as_of import read_as_of
from scorer.bootstrap import score_once
from scorer.runs import Run
from tests.integration.scorer.mirror import add_transactions, cdnow, with_scorer

CALIBRATION_END = read_as_of("1997-09-30")


@pytest.fixture
def run(database: Settings) -> Run:
    add_transactions(database, cdnow())
    return score_once(with_scorer(database), CALIBRATION_END)


def test_cdnow_gives_the_published_parameters(database: Settings, run: Run) -> None:
    assert run.status == "published", run.reason
    assert run.parameters is not None
    purchase, spend = run.parameters["purchase"], run.parameters["spend"]
    found = [f"{purchase['parameters'][name]:.3f}" for name in ("r", "alpha", "a", "b")]
    assert found == ["0.243", "4.414", "0.793", "2.426"]
    assert [f"{spend['parameters'][name]:.2f}" for name in ("p", "q", "v")] == ["6.25", "3.74", "15.44"]
    assert f"{purchase['log_likelihood']:.2f} {spend['log_likelihood']:.2f}" == "-9582.43 -4055.92"
    assert (purchase["n_customers"], spend["n_customers"]) == (2357, 946)
    for told in (purchase, spend):
        assert told["draws_from"] == "psis" and told["pareto_k"] < 0.7

    with connect(database, "reader") as connection:
        rows = connection.execute("select as_of, run_id, count(*) from scores.customer_scores group by 1, 2").fetchall()
        assert rows == [(CALIBRATION_END, run.run_id, 2357)]
        row = connection.execute("select data_from, data_to, parameters from scores.model_runs").fetchone()
    assert row == (datetime(1997, 1, 1, tzinfo=UTC), datetime(1997, 9, 30, tzinfo=UTC), run.parameters)


def test_every_customer_has_every_score_and_each_makes_sense(database: Settings, run: Run) -> None:
    with connect(database, "reader") as connection:
        row = connection.execute("""
            select count(*) filter (where probability_alive between 0 and 1
                                      and no_purchase_30d between no_purchase_30d_low and no_purchase_30d_high
                                      and no_purchase_30d >= no_purchase_60d and no_purchase_60d >= no_purchase_90d
                                      and expected_orders_90d > 0 and expected_spend_90d > 0
                                      and residual_value > 0 and residual_value_low <= residual_value_high
                                      and (inactive_90d <= inactive_60d and inactive_60d <= inactive_30d)
                                      and subscription_survival_30d is null),
                   count(*) from scores.customer_scores""").fetchone()
    assert row == (2357, 2357)
