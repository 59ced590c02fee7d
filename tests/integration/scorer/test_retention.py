"""A run fills the retention triangle with forecasts, in one with the scores; what was observed is there without it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from retentioncast.infra.postgres import connect
from retentioncast.infra.settings import Settings
from scorer.bootstrap import score_once
from tests.integration.scorer.mirror import (
    Subscribed,
    add_subscriptions,
    add_transactions,
    plausible_shop,
    set_stream_time,
    subscribers,
    with_scorer,
)

DAYS = 300


@pytest.fixture
def shop(database: Settings) -> Settings:
    """Purchases and 2,000 subscriptions of ten months."""
    add_transactions(database, plausible_shop())
    add_subscriptions(database, subscribers(2000))
    set_stream_time(database, DAYS)
    return with_scorer(database)


def triangle(settings: Settings) -> pd.DataFrame:
    with connect(settings, "reader") as connection:
        cursor = connection.execute("select * from scores.retention_triangle order by cohort, month")
        assert cursor.description is not None
        return pd.DataFrame(cursor.fetchall(), columns=[column.name for column in cursor.description])


def test_before_the_first_run_the_triangle_holds_what_was_observed(shop: Settings) -> None:
    assert set(triangle(shop)["kind"]) == {"observed"}


def test_a_run_fills_every_cell_of_the_triangle_once(shop: Settings) -> None:
    before = triangle(shop)
    run = score_once(shop)
    cells = triangle(shop)
    assert run.status == "published" and "Retention" not in run.reason
    assert run.parameters is not None and run.parameters["retention"]["n_subscriptions"] == 2000
    counts = ["cohort", "month", "size", "at_risk", "retained", "rate"]
    observed = cells[cells["kind"] == "observed"].reset_index(drop=True)
    pd.testing.assert_frame_equal(observed[counts], before[counts])
    for _, row in cells.groupby("cohort"):
        assert row["month"].tolist() == list(range(13))
        assert row["size"].nunique() == 1
        assert np.all(np.diff(row["rate"]) <= 0)
    forecast = cells[cells["kind"] == "forecast"]
    assert set(forecast["run_id"]) == {run.run_id}
    assert np.all(
        (forecast["rate_low"] <= forecast["rate"] + 0.02) & (forecast["rate"] <= forecast["rate_high"] + 0.02)
    )


def test_a_later_run_replaces_the_forecast_and_what_came_true_lies_within_it(shop: Settings) -> None:
    """Asked two months ago, the run did not know of these; 80 % intervals held most of what then came."""
    with connect(shop, "reader") as connection:
        row = connection.execute("select stream_time - interval '61 days' from analytics.stream_clock").fetchone()
    assert row is not None
    early = score_once(shop, row[0])
    with connect(shop, "reader") as connection:
        found = connection.execute(
            "select f.retained_low <= o.retained and o.retained <= f.retained_high"
            " from scores.retention_forecast as f join scores.retention_observed() as o using (cohort, month)"
            " where o.month > 0"
        ).fetchall()
    assert len(found) >= 10 and np.mean([held for (held,) in found]) > 0.6
    late = score_once(shop)
    with connect(shop, "reader") as connection:
        runs = connection.execute("select distinct run_id from scores.retention_forecast").fetchall()
    assert runs == [(late.run_id,)] and early.run_id != late.run_id


def test_where_sbg_cannot_be_fitted_the_run_says_why_and_the_observed_cells_stay(database: Settings) -> None:
    add_transactions(database, plausible_shop())
    add_subscriptions(database, [Subscribed(customer, 5.0, 90.0 if customer < 3 else None) for customer in range(1, 7)])
    set_stream_time(database, DAYS)
    run = score_once(with_scorer(database))
    assert run.status == "published" and "Retention not forecast: " in run.reason
    assert "sBG needs 10 customers" in run.reason
    assert set(triangle(database)["kind"]) == {"observed"}


def test_a_run_that_is_not_published_leaves_the_forecast(shop: Settings) -> None:
    good = score_once(shop)
    with connect(shop, "consumer") as connection:
        connection.execute("update analytics.transactions set deleted = true where customer_id > 20")
    assert score_once(shop).status == "refused"
    assert set(triangle(shop)["run_id"].dropna()) == {good.run_id}
