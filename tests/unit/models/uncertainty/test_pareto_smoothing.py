"""The certificate tells good weights from bad ones."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import genpareto

from retentioncast.models.uncertainty.pareto_smoothing import fit_pareto, highest_k, smooth_weights


@pytest.mark.parametrize("shape", [-0.3, 0.2, 0.6, 1.2])
def test_the_shape_of_a_pareto_tail_is_found(shape: float) -> None:
    excesses = np.sort(genpareto.rvs(shape, scale=2.0, size=4000, random_state=1))
    k, scale = fit_pareto(excesses)
    assert k == pytest.approx(shape, abs=0.08)
    assert scale == pytest.approx(2.0, rel=0.1)


@pytest.mark.parametrize(("rate", "shape"), [(4.0, 0.25), (2.0, 0.5), (1.0, 1.0)])
def test_k_of_weights_is_that_of_their_tail(rate: float, shape: float) -> None:
    """Ratios e^u of exponential u are Pareto with shape 1 / rate."""
    log_ratios = np.random.default_rng(2).exponential(1 / rate, 20_000)
    assert smooth_weights(log_ratios).pareto_k == pytest.approx(shape, abs=0.15)


def test_smoothing_brings_an_average_nearer_to_the_truth() -> None:
    """E[x^2] = 1 of a normal, from points of a narrower one (k about 0.6): mean squared error over 200 repetitions."""
    raw, smoothed = [], []
    for seed in range(200):
        x = 0.65 * np.random.default_rng(seed).standard_normal(1000)
        log_ratios = -0.5 * x**2 + 0.5 * (x / 0.65) ** 2
        weights = np.exp(log_ratios - log_ratios.max())
        raw.append(weights @ x**2 / weights.sum() - 1)
        smoothed.append(smooth_weights(log_ratios).weights @ x**2 - 1)
    assert np.square(smoothed).mean() < np.square(raw).mean()


def test_equal_ratios_are_perfect_and_none_at_all_are_worthless() -> None:
    equal = smooth_weights(np.zeros(1000))
    assert equal.pareto_k < 0 and equal.ess == pytest.approx(1000)
    nowhere = smooth_weights(np.full(1000, -np.inf))
    assert nowhere.pareto_k == np.inf and nowhere.ess == 0
    assert smooth_weights(np.array([0.0, np.nan, -np.inf] * 400)).ess == pytest.approx(400)


def test_fewer_draws_need_a_lower_k() -> None:
    assert highest_k(100) == pytest.approx(0.5)
    assert highest_k(1000) == pytest.approx(2 / 3)
    assert highest_k(10_000) == 0.7
