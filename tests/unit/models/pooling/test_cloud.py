"""The segments integrated out: value and gradient of what is left, and whom a weight chooses."""

from __future__ import annotations

import numpy as np
import pytest

from retentioncast.models.pooling.cloud import choose, log_mean_weights
from retentioncast.models.pooling.hyper import normal_log_density

RNG = np.random.default_rng(1)
THETA = RNG.standard_normal((3, 50, 2))
REFERENCE = normal_log_density(THETA, np.zeros(2), np.full(2, 1.5))
MU, TAU = np.array([0.2, -0.1]), np.array([0.8, 1.1])


def test_it_is_the_log_of_the_mean_ratio_of_densities_up_to_a_constant() -> None:
    def mean_ratio(mu: np.ndarray, tau: np.ndarray) -> float:
        ratios = np.exp(normal_log_density(THETA, mu, tau) - REFERENCE)
        return float(np.log(ratios.mean(axis=1)).sum())

    here = log_mean_weights(THETA, REFERENCE, MU, TAU, False)[0]
    there = log_mean_weights(THETA, REFERENCE, MU + 0.3, TAU, False)[0]
    assert here - there == pytest.approx(mean_ratio(MU, TAU) - mean_ratio(MU + 0.3, TAU))


def test_the_gradient_is_that_of_finite_differences() -> None:
    _, by_mu, by_log_tau = log_mean_weights(THETA, REFERENCE, MU, TAU, True)
    for j, step in enumerate(1e-5 * np.eye(2)):
        up, down = (log_mean_weights(THETA, REFERENCE, MU + s, TAU, False)[0] for s in (step, -step))
        assert by_mu[j] == pytest.approx((up - down) / 2e-5, rel=1e-5)
        up, down = (log_mean_weights(THETA, REFERENCE, MU, TAU * np.exp(s), False)[0] for s in (step, -step))
        assert by_log_tau[j] == pytest.approx((up - down) / 2e-5, rel=1e-5)


def test_a_narrow_population_chooses_the_draw_that_lies_in_it() -> None:
    target = THETA[:, 7]
    uniform = np.full((1, 3), 0.5)
    for s in range(3):
        chosen, effective = choose(THETA, REFERENCE, target[None, s], np.full((1, 2), 1e-3), uniform)
        np.testing.assert_array_equal(chosen[0, s], target[s])
        assert effective[s] == pytest.approx(1.0)
