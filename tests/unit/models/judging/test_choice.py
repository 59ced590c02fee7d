"""Stacking, recalibration and the choice between them find what is there, and leave alone what is not."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import expit, logit

from retentioncast.models.arrays import Floats
from retentioncast.models.judging.choice import choose, choose_curve
from retentioncast.models.judging.logistic import fit_logistic, predict_logistic
from retentioncast.models.judging.measures import log_scores
from retentioncast.models.judging.recalibration import fit_beta, fit_isotonic
from retentioncast.models.judging.stacking import mix_log_scores, stacking_weights
from retentioncast.models.judging.told import Rows

N = 8000
ORIGIN = np.repeat([0, 30, 60, 90], N // 4)
CUSTOMER = np.tile(np.arange(N // 4), 4)


def outcomes(p: Floats, seed: int) -> Floats:
    return (np.random.default_rng(seed).random(p.size) < p).astype(np.float64)


@pytest.fixture(scope="module")
def truth() -> Floats:
    return np.random.default_rng(1).beta(2, 2, N)


def rows(none: Floats, *told: Floats) -> Rows:
    return Rows(ORIGIN, CUSTOMER, none, np.column_stack(told))


def test_stacking_finds_the_maximum_that_a_general_search_finds(truth: Floats) -> None:
    none = outcomes(truth, 2)
    noise = np.random.default_rng(3).normal(0, 1, (N, 3))
    scores = np.column_stack([log_scores(expit(logit(truth) + e), none) for e in noise.T])

    def loss(free: Floats) -> float:
        w = np.exp([0.0, *free])
        return float(-mix_log_scores(scores, w / w.sum()).mean())

    best = minimize(loss, np.zeros(2), method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-12})
    assert mix_log_scores(scores, stacking_weights(scores)).mean() == pytest.approx(-best.fun, abs=3e-7)


def test_a_useless_predictor_gets_no_weight(truth: Floats) -> None:
    none = outcomes(truth, 2)
    scores = np.column_stack([log_scores(truth, none), log_scores(1 - truth, none)])
    assert stacking_weights(scores)[0] > 0.98


def test_two_that_complement_each_other_are_stacked(truth: Floats) -> None:
    """Each knows half of the customers."""
    none = outcomes(truth, 4)
    half = CUSTOMER % 2 == 0
    chosen = choose(rows(none, np.where(half, truth, 0.5), np.where(half, 0.5, truth)), ["one", "other"])
    assert chosen.weights == pytest.approx({"one": 0.5, "other": 0.5}, abs=0.1)
    assert chosen.stack_gain is not None and chosen.stack_gain.mean > 0


def test_a_clearly_better_one_is_chosen_alone(truth: Floats) -> None:
    assert choose(rows(outcomes(truth, 7), np.full(N, 0.5), truth), ["one", "other"]).weights == {"other": 1.0}


def test_where_stacking_clearly_loses_at_other_origins_the_best_is_chosen_alone(truth: Floats) -> None:
    """One is right at the first origin and wrong at the others; weights from the others never fit."""
    none = outcomes(truth, 5)
    turned = np.where(ORIGIN == 0, truth, 1 - truth)
    slightly = expit(logit(truth) * 0.8)
    chosen = choose(rows(none, np.where(ORIGIN == 0, slightly, turned), slightly), ["one", "other"])
    assert chosen.weights == {"other": 1.0}


def test_what_is_off_is_recalibrated_and_what_is_right_is_left(truth: Floats) -> None:
    none = outcomes(truth, 8)
    off = expit(0.5 * logit(truth) + 1.0)
    curve, gain, curved = choose_curve(off, none, ORIGIN, CUSTOMER)
    assert curve is not None and gain is not None and gain.mean > 0
    assert np.abs(curve(off) - truth).mean() < 0.02 and np.abs(curved - truth).mean() < 0.03
    assert choose_curve(truth, none, ORIGIN, CUSTOMER)[0] is None


def test_one_odd_season_is_no_miscalibration(truth: Floats) -> None:
    """All customers bought more at one origin in four, the predictions were right at the others."""
    none = outcomes(np.where(ORIGIN == 30, truth * 0.5, truth), 9)
    assert choose_curve(truth, none, ORIGIN, CUSTOMER)[0] is None


def test_beta_calibration_finds_its_own_curve(truth: Floats) -> None:
    curve = fit_beta(truth, outcomes(expit(1.6 * np.log(truth) - 0.7 * np.log1p(-truth) + 0.2), 10))
    found = [curve.parameters[name] for name in "abc"]
    assert found == pytest.approx([1.6, 0.7, 0.2], abs=0.25)
    np.testing.assert_array_equal(curve(np.array([0.0, 1.0])), [0.0, 1.0])


@pytest.mark.parametrize("fit", [fit_beta, fit_isotonic])
def test_a_curve_never_falls_not_even_on_outcomes_that_do(fit: object, truth: Floats) -> None:
    curve = fit(truth, outcomes(1 - truth, 11))  # type: ignore[operator]
    grid = curve(np.linspace(0, 1, 200))
    assert np.all(np.diff(grid) >= 0) and grid.min() >= 0 and grid.max() <= 1


def test_logistic_regression_finds_known_coefficients_and_bears_separation() -> None:
    rng = np.random.default_rng(12)
    x = rng.normal(size=(40_000, 2))
    p = expit(x @ [1.0, -0.5] + 0.3)
    assert fit_logistic(x, outcomes(p, 13)) == pytest.approx([1.0, -0.5, 0.3], abs=0.05)
    separated = fit_logistic(x[:50, :1], (x[:50, 0] > 0).astype(float))
    assert np.all(np.isfinite(predict_logistic(x[:, :1], separated)))
