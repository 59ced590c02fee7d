"""Survival curves in SQL are those of lifelines, as of any time; the triangle shows what all of a cohort have lived."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import psycopg
import pytest
from lifelines import KaplanMeierFitter

from retentioncast.infra.postgres import connect
from retentioncast.infra.settings import Settings
from tests.integration.scorer.mirror import START, set_stream_time

NOW = 400.0
PLANS = ("basic", "pro", "enterprise", "trial")


def shop(n: int, seed: int) -> pd.DataFrame:
    """Days of start and of the end, in whole days often (ties); nobody leaves enterprise, one customer has a trial."""
    rng = np.random.default_rng(seed)
    plan = rng.choice(PLANS[:3], n)
    plan[0] = "trial"
    start = rng.uniform(0, NOW - 1, n)
    end = start + np.where(rng.random(n) < 0.5, rng.integers(0, 60, n) * 5.0, rng.exponential(90, n))
    end[plan == "enterprise"] = np.nan
    channel = rng.choice(["ads", "friends"], n)
    return pd.DataFrame({"plan": plan, "channel": channel, "start": start, "end": end}, index=np.arange(1, n + 1))


def rows(frame: pd.DataFrame) -> list[Any]:
    return list(frame.itertuples())


def fill(database: Settings, frame: pd.DataFrame) -> None:
    subscriptions = (
        "copy analytics.subscriptions (subscription_id, customer_id, plan, started_at, cancelled_at, commit_lsn, lsn,"
        " deleted) from stdin"
    )
    customers = "copy analytics.customers (customer_id, channel, commit_lsn, lsn, deleted) from stdin"
    with connect(database, "consumer") as connection, connection.cursor() as cursor:
        with cursor.copy(subscriptions) as copy:
            for key, row in zip(frame.index, rows(frame), strict=True):
                ended = None if np.isnan(row.end) else START + timedelta(days=row.end)
                copy.write_row((key, key, row.plan, START + timedelta(days=row.start), ended, 1, 1, False))
            deleted = START + timedelta(days=1)
            copy.write_row((10**9, 1, "basic", deleted, deleted, 1, 1, True))
        with cursor.copy(customers) as copy:
            for key, channel in frame["channel"].items():
                copy.write_row((key, channel, 1, 1, False))


def ask(database: Settings, query: str, *values: object) -> pd.DataFrame:
    with connect(database, "reader") as connection:
        cursor = connection.execute(query.encode(), values)
        assert cursor.description is not None
        return pd.DataFrame(cursor.fetchall(), columns=[column.name for column in cursor.description])


def durations(frame: pd.DataFrame, now: float) -> tuple[pd.Series, pd.Series]:
    begun = frame[frame["start"] <= now]
    event = begun["end"] <= now
    return (begun["end"].where(event, now) - begun["start"] + 1e-9).floordiv(1), event


def require_equal(curve: pd.DataFrame, days: pd.Series, event: pd.Series) -> None:
    fitter = KaplanMeierFitter().fit(days, event)
    table = fitter.event_table
    assert curve["day"].tolist() == table.index.tolist()
    counts = table[["at_risk", "observed", "censored"]].to_numpy()
    np.testing.assert_array_equal(curve[["at_risk", "cancelled", "censored"]].to_numpy(), counts)
    survival = fitter.survival_function_.iloc[:, 0].to_numpy()
    error = survival * np.sqrt(fitter._cumulative_sq_.to_numpy())
    np.testing.assert_allclose(curve["survival"], survival, atol=1e-9)
    np.testing.assert_allclose(curve["std_error"], error, atol=1e-9)
    np.testing.assert_allclose(curve[["low", "high"]], fitter.confidence_interval_, atol=1e-9)
    np.testing.assert_allclose(curve["plain_low"], np.maximum(survival - 1.959963984540054 * error, 0), atol=1e-9)
    np.testing.assert_allclose(curve["plain_high"], np.minimum(survival + 1.959963984540054 * error, 1), atol=1e-9)


@pytest.fixture
def filled(database: Settings) -> tuple[Settings, pd.DataFrame]:
    frame = shop(3000, seed=1)
    fill(database, frame)
    set_stream_time(database, NOW)
    return database, frame


def test_the_curves_are_those_of_lifelines(filled: tuple[Settings, pd.DataFrame]) -> None:
    """With ties, a plan that nobody left, a plan of one subscription, and a cohort of each month."""
    database, frame = filled
    days, event = durations(frame, NOW)
    frame["cohort"] = [f"{START + timedelta(days=start):%Y-%m}" for start in frame["start"]]
    require_equal(ask(database, "select * from scores.survival order by day"), days, event)
    for by in ("plan", "channel", "cohort"):
        curves = ask(database, f"select * from scores.survival_by_{by} order by label, day")
        assert sorted(set(curves["label"])) == sorted(set(frame[by]))
        for label, curve in curves.groupby("label"):
            require_equal(curve, days[frame[by] == label], event[frame[by] == label])


def test_all_who_are_left_may_cancel_on_the_last_day(database: Settings) -> None:
    frame = pd.DataFrame({"plan": "pro", "channel": "ads", "start": 0.0, "end": [0.0, 3.0, 3.0, 9.0, 9.0]})
    fill(database, frame.set_axis([1, 2, 3, 4, 5]))
    set_stream_time(database, 20)
    curve = ask(database, "select * from scores.survival order by day")
    require_equal(curve, *durations(frame, 20))
    assert curve["survival"].iloc[-1] == curve["high"].iloc[-1] == 0


def test_a_curve_as_of_an_earlier_time_does_not_know_what_came_later(filled: tuple[Settings, pd.DataFrame]) -> None:
    database, frame = filled
    curve = ask(database, "select * from scores.survival_curve('all', %s) order by day", START + timedelta(days=150))
    require_equal(curve, *durations(frame, 150))


def test_a_customer_whom_the_mirror_does_not_know_has_an_unknown_channel(database: Settings) -> None:
    with connect(database, "consumer") as connection:
        connection.execute(
            "insert into analytics.subscriptions (subscription_id, customer_id, started_at, commit_lsn, lsn, deleted)"
            " values (1, 1, %s, 1, 1, false)",
            (START,),
        )
    set_stream_time(database, 10)
    for by in ("plan", "channel"):
        assert set(ask(database, f"select label from scores.survival_by_{by}")["label"]) == {"unknown"}


def test_without_a_subscription_or_a_stream_there_is_no_curve(database: Settings) -> None:
    assert ask(database, "select * from scores.survival").empty
    assert ask(database, "select * from scores.retention_triangle").empty
    set_stream_time(database, 10)
    assert ask(database, "select * from scores.survival_by_cohort").empty


def test_a_curve_by_something_else_is_refused(database: Settings) -> None:
    with connect(database, "reader") as connection, pytest.raises(psycopg.Error, match="no survival curve by age"):
        connection.execute("select * from scores.survival_curve('age')")


def months_after(since: datetime, months: int) -> pd.Timestamp:
    return pd.Timestamp(since).tz_convert("UTC") + pd.DateOffset(months=months)


def test_full_months_are_those_of_the_calendar(database: Settings) -> None:
    rng = np.random.default_rng(4)
    first = datetime(2023, 12, 1, tzinfo=UTC)
    pairs = [(first + timedelta(hours=int(a)), first + timedelta(hours=int(a + b)))
             for a, b in zip(rng.integers(0, 12_000, 300), rng.integers(0, 20_000, 300), strict=True)]  # fmt: skip
    pairs += [(datetime(2024, 1, 31, 9, tzinfo=UTC), datetime(2024, 2, 29, hour, tzinfo=UTC)) for hour in (8, 9)]
    with connect(database, "reader") as connection:
        for since, until in pairs:
            row: tuple[Any, ...] | None = connection.execute(
                "select scores.full_months(%s, %s)", (since, until)
            ).fetchone()
            assert row is not None
            assert months_after(since, row[0]) <= until < months_after(since, row[0] + 1)


def test_the_observed_cells_count_who_was_still_there(filled: tuple[Settings, pd.DataFrame]) -> None:
    database, frame = filled
    cells = ask(database, "select * from scores.retention_observed() order by cohort, month")
    now = pd.Timestamp(START + timedelta(days=NOW))
    began = pd.Series([pd.Timestamp(START + timedelta(days=day)) for day in frame["start"]], index=frame.index)
    ended = pd.Series([now if not day <= NOW else pd.Timestamp(START + timedelta(days=day)) for day in frame["end"]],
                      index=frame.index)  # fmt: skip
    seen = 0
    for cell in rows(cells):
        ours = (began.dt.year == cell.cohort.year) & (began.dt.month == cell.cohort.month)
        still = [end >= months_after(start, cell.month) for start, end in zip(began[ours], ended[ours], strict=True)]
        assert (cell.size, cell.retained) == (ours.sum(), sum(still))
        assert cell.rate == pytest.approx(cell.retained / cell.size, rel=1e-15)
        seen += 1
    assert seen > 60
    assert (cells.groupby("cohort")["retained"].shift().fillna(cells["size"]) == cells["at_risk"]).all()
    oldest, latest = cells["cohort"].min(), cells["cohort"].max()
    assert cells[cells["cohort"] == oldest]["month"].max() == 12  # January 2026, on 5 February 2027
    assert cells[cells["cohort"] == latest]["month"].tolist() == [0]


def test_a_cell_that_has_been_seen_since_is_shown_as_seen(filled: tuple[Settings, pd.DataFrame]) -> None:
    database, _ = filled
    with connect(database, "scorer") as connection:
        connection.execute(
            "insert into scores.model_runs (started_at, status, reason, duration_s, code_version)"
            " values (now(), 'published', '', 1, '')"
        )
        connection.execute(
            "insert into scores.retention_forecast select max(run_id), '2026-01-01', month, 50, 40, 30, 20, 35"
            " from scores.model_runs, generate_series(12, 14) as month group by month"
        )
    cells = ask(database, "select * from scores.retention_triangle where cohort = '2026-01-01' order by month")
    assert cells["kind"].tolist() == ["observed"] * 13 + ["forecast"] * 2
    assert cells["month"].tolist() == list(range(15))
    assert cells[["rate", "rate_low", "rate_high"]].iloc[-1].tolist() == [0.6, 0.4, 0.7]
