"""Measures against what can be worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import binomtest

from retentioncast.models.judging.calibration import binomial_interval, calibration_error, calibration_table, deciles
from retentioncast.models.judging.gain import Gain, paired_gain
from retentioncast.models.judging.measures import measure


def test_measures_by_hand() -> None:
    found = measure(np.array([0.8, 0.4]), np.array([0.25, 1.5]), np.array([0.0, 2.0]))
    assert found.log_score == pytest.approx((math.log(0.8) + math.log(0.6)) / 2)
    assert found.brier == pytest.approx((0.04 + 0.16) / 2)
    assert found.rmse == pytest.approx(math.sqrt((0.0625 + 0.25) / 2))
    assert found.bias == pytest.approx(1.75 / 2 - 1)
    assert found.deviance == pytest.approx((0.5 + 2 * (2 * math.log(2 / 1.5) - 0.5)) / 2)


def test_nobody_is_punished_without_end() -> None:
    assert math.isfinite(measure(np.array([1.0]), np.array([0.0]), np.array([3.0])).log_score)


def test_equal_predictions_fall_into_one_tenth() -> None:
    place = deciles(np.array([0.5] * 50 + list(np.linspace(0.6, 0.9, 50))))
    assert set(place[:50].tolist()) == {2}
    assert set(place[50:].tolist()) == {5, 6, 7, 8, 9}


def test_the_table_counts_every_prediction_and_its_interval_is_the_binomial_one() -> None:
    rng = np.random.default_rng(1)
    p = rng.random(1000)
    outcome = (rng.random(1000) < p).astype(float)
    table = calibration_table(p, outcome)
    assert [row.n for row in table] == [100] * 10
    assert sum(row.happened for row in table) == outcome.sum()
    exact = binomtest(table[3].happened, 100).proportion_ci()
    assert (table[3].low, table[3].high) == pytest.approx((exact.low, exact.high))
    assert binomial_interval(0, 5)[0] == 0 and binomial_interval(5, 5)[1] == 1


def test_calibration_error_is_small_for_the_truth_and_the_shift_for_a_shifted_one() -> None:
    rng = np.random.default_rng(2)
    p = rng.uniform(0.2, 0.7, 100_000)
    outcome = (rng.random(p.size) < p).astype(float)
    assert calibration_error(p, outcome) < 0.01
    assert calibration_error(p + 0.1, outcome) == pytest.approx(0.1, abs=0.01)
    assert math.isnan(calibration_error(np.array([np.nan]), np.array([1.0])))


def test_the_error_of_a_gain_counts_customers_not_predictions() -> None:
    """The same customer five times tells no more than once."""
    rng = np.random.default_rng(3)
    gains = rng.normal(0.1, 1.0, 400)
    once = paired_gain(gains, np.zeros(400), np.arange(400))
    five = paired_gain(np.tile(gains, 5), np.zeros(2000), np.tile(np.arange(400), 5))
    assert five.mean == pytest.approx(once.mean) and five.error == pytest.approx(once.error)
    assert once.error == pytest.approx(gains.std() / 20)


def test_a_gain_is_clear_above_errors_and_above_what_matters() -> None:
    assert Gain(0.03, 0.01).is_clear(2.0) and not Gain(0.03, 0.02).is_clear(2.0)
    assert not Gain(0.03, 0.001).is_clear(2.0, material=0.05)
    assert Gain(-0.03, 0.01).is_clear_loss(2.0) and not Gain(0.03, 0.01).is_clear_loss(2.0)
