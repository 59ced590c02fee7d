"""A cut tells what was known on its day and nothing later."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from retentioncast.models import summary_from_transactions
from retentioncast.models.judging.origins import choose_origins, days_needed, rolling_cuts
from retentioncast.models.judging.purchase_days import PurchaseDays
from tests.unit.models.judging.shop import purchase_log

EPOCH = pd.Timestamp("2026-01-01")


@pytest.fixture(scope="module")
def log() -> pd.DataFrame:
    return purchase_log(300, 200, seed=1).sample(frac=1, random_state=1)


@pytest.mark.parametrize("day", [40, 120, 199])
def test_a_cut_is_the_summary_of_the_log_up_to_that_day(log: pd.DataFrame, day: int) -> None:
    cut = PurchaseDays(log).cut(day, (30,))
    known = log.assign(occurred_at=EPOCH + pd.to_timedelta(log["day"], unit="D"))
    summary = summary_from_transactions(known, observed_until=(EPOCH + pd.Timedelta(days=day)).to_pydatetime())
    assert cut.customer.tolist() == summary.index.tolist()
    for name, values in (("frequency", cut.frequency), ("recency", cut.recency), ("T", cut.T)):
        np.testing.assert_allclose(values, summary[name])
    np.testing.assert_allclose(cut.spend, summary["monetary_value"])


def test_what_happened_is_counted_after_the_cut_up_to_the_horizon_and_only_for_the_known(log: pd.DataFrame) -> None:
    cut = PurchaseDays(log).cut(100, (30, 60))
    for days, counted in cut.happened.items():
        later = log[(log["day"] > 100) & (log["day"] <= 100 + days)].groupby("customer_id").size()
        assert counted.tolist() == later.reindex(cut.customer, fill_value=0).tolist()


def test_a_cut_does_not_change_with_what_comes_later(log: pd.DataFrame) -> None:
    then, now = PurchaseDays(log[log["day"] <= 100]).cut(100, (30,)), PurchaseDays(log).cut(100, (30,))
    for name in ("customer", "frequency", "recency", "T", "spend"):
        assert getattr(then, name).tolist() == getattr(now, name).tolist()


def test_origins_lie_a_month_apart_with_the_horizons_that_have_passed() -> None:
    assert choose_origins(0, 400, (30, 60, 90)) == {
        370: (30,), 340: (30, 60), 310: (30, 60, 90), 280: (30, 60, 90), 250: (30, 60, 90), 220: (30, 60, 90),
    }  # fmt: skip


def test_a_history_too_short_has_no_origin() -> None:
    assert days_needed((30, 60, 90)) == 120
    assert choose_origins(0, 119, (30, 60, 90)) == {}
    assert choose_origins(0, 120, (30, 60, 90)) == {90: (30,)}


def test_no_origin_looks_past_its_day(log: pd.DataFrame) -> None:
    """Whatever is in the log after `as_of`, the cuts are the same."""
    early, late = (rolling_cuts(PurchaseDays(rows), 150, (30, 60, 90)) for rows in (log[log["day"] <= 150], log))
    for one, other in zip(early, late, strict=True):
        assert one.day == other.day
        assert {h: n.tolist() for h, n in one.happened.items()} == {h: n.tolist() for h, n in other.happened.items()}
