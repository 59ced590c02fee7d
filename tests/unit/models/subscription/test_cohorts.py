"""Forecasts of cohorts: what is known stays, the rest is drawn, and the intervals hold."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from retentioncast.models import ShiftedBetaGeometric
from retentioncast.models.subscription.cohorts import forecast_cohorts, renewals_of_standing

TRUTH = np.array([0.8, 4.0])


def truth() -> ShiftedBetaGeometric:
    model = ShiftedBetaGeometric()
    model.params_ = dict(zip(("alpha", "beta"), TRUTH.tolist(), strict=True))
    return model


def standing_of(*rows: tuple[str, int, int, bool, float, int]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["cohort", "faced", "periods", "active", "elapsed", "customers"])


def test_the_mean_is_what_is_known_and_the_survival_of_the_rest() -> None:
    """30 lost at the first renewal, 70 stayed two; 20 of these stayed a third one already (they began earlier)."""
    standing = standing_of(("a", 2, 0, False, 0, 30), ("a", 2, 2, True, 0, 50), ("a", 3, 3, True, 0, 20))
    found = forecast_cohorts(truth(), standing, 4, TRUTH[None, :], 0.8, seed=1)
    assert found["period"].tolist() == [3, 4] and set(found["size"]) == {100}
    third = 20 + 50 * float(truth().probability_active(1, 2))
    fourth = 50 * float(truth().probability_active(2, 2)) + 20 * float(truth().probability_active(1, 3))
    assert found["retained"].tolist() == pytest.approx([third, fourth], rel=1e-12)
    assert found["at_risk"].tolist() == pytest.approx([70, third], rel=1e-12)


def test_who_has_half_the_period_behind_runs_half_of_its_risk() -> None:
    standing = standing_of(("a", 1, 1, True, 0.5, 100))
    found = forecast_cohorts(truth(), standing, 2, TRUTH[None, :], 0.8, seed=1)
    assert found["retained"].iloc[0] == pytest.approx(100 * float(truth().retention_rate(2)) ** 0.5)


def test_a_cohort_that_is_gone_stays_gone_and_one_fully_observed_has_no_row() -> None:
    standing = standing_of(("gone", 1, 0, False, 0, 40), ("old", 3, 3, True, 0, 10))
    found = forecast_cohorts(truth(), standing, 3, np.tile(TRUTH, (50, 1)), 0.8, seed=1)
    assert found["cohort"].tolist() == ["gone", "gone"]
    assert found[["retained", "retained_low", "retained_high"]].to_numpy().max() == 0
    nothing = forecast_cohorts(truth(), standing[standing["cohort"] == "old"], 3, TRUTH[None, :], 0.8, seed=1)
    assert nothing.empty and "retained_low" in nothing.columns


def test_who_left_in_the_period_under_way_is_censored_for_the_fit() -> None:
    standing = standing_of(("a", 2, 1, False, 0, 5), ("a", 2, 2, False, 0.3, 7), ("a", 2, 2, True, 0.5, 9))
    periods, lost, weights = renewals_of_standing(standing)
    assert periods.tolist() == [1, 2, 2] and lost.tolist() == [1, 0, 0] and weights.tolist() == [5, 7, 9]


def test_the_interval_holds_its_share_of_cohorts_that_went_on() -> None:
    """300 cohorts of 60 watched for 4 renewals, then for 8 more: 80 % intervals, inside the 99.9 % binomial band."""
    lives = truth().sample(300 * 60, 12, seed=5)["lifetime"].to_numpy().reshape(300, 60)
    rows = []
    for cohort in range(300):
        survived = np.minimum(lives[cohort] - 1, 4).astype(int)
        active = lives[cohort] > 4
        for periods, is_active in {*zip(survived.tolist(), active.tolist(), strict=True)}:
            n = int(((survived == periods) & (active == is_active)).sum())
            rows.append((f"{cohort:03d}", 4, periods, is_active, 0.0, n))
    found = forecast_cohorts(truth(), standing_of(*rows), 12, np.tile(TRUTH, (400, 1)), 0.8, seed=2)
    last = found[found["period"] == 12]
    happened = (lives > 12).sum(axis=1)
    held = ((last["retained_low"] <= happened) & (happened <= last["retained_high"])).mean()
    assert 0.74 < held < 0.93  # counts are whole numbers: the interval holds a little more than it says
    assert happened.mean() == pytest.approx(last["retained"].mean(), abs=4 * happened.std() / 300**0.5)


def test_same_seed_same_forecast() -> None:
    standing = standing_of(("a", 1, 1, True, 0.2, 500))
    draws = np.tile(TRUTH, (100, 1))
    one, two, three = (forecast_cohorts(truth(), standing, 6, draws, 0.8, seed) for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(one, two)
    assert not one.equals(three)


def test_a_missing_column_and_a_bad_interval_are_named() -> None:
    standing = standing_of(("a", 1, 1, True, 0.2, 500))
    with pytest.raises(ValueError, match="column 'elapsed', row None: None is missing"):
        forecast_cohorts(truth(), standing.drop(columns="elapsed"), 3, TRUTH[None, :], 0.8, 1)
    with pytest.raises(ValueError, match=r"interval of 1\.5"):
        forecast_cohorts(truth(), standing, 3, TRUTH[None, :], 1.5, 1)
