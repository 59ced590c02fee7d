"""An optimum is only believed where it is one."""

from __future__ import annotations

import numpy as np
import pytest

from retentioncast.core.errors import FitFailed
from retentioncast.models.arrays import Floats
from retentioncast.models.btyd.optimum import maximise

STARTS = [np.array([0.5, 0.5]), np.array([-3.0, 2.0])]


def _hill(point: Floats) -> tuple[float, Floats]:
    away = point - np.array([1.0, -2.0])
    return float(-(away**2).sum() / 2 * 9 + 7), -9 * away


def test_a_hill_is_climbed_to_its_top_with_its_curvature_as_covariance() -> None:
    optimum = maximise(_hill, STARTS, ("u", "w"), 1.0)
    np.testing.assert_allclose(optimum.log_parameters, [1, -2], atol=1e-6)
    np.testing.assert_allclose(optimum.covariance, np.eye(2) / 9, rtol=1e-6)
    assert optimum.log_likelihood == pytest.approx(7)


def test_the_higher_of_two_hills_is_taken() -> None:
    def two_hills(point: Floats) -> tuple[float, Floats]:
        low, high = 1.0 * np.exp(-((point - 3) ** 2).sum()), 2.0 * np.exp(-((point + 3) ** 2).sum())
        return float(low + high), -2 * (low * (point - 3) + high * (point + 3))

    starts = [np.array([2.5, 2.5]), np.array([-2.5, -2.5])]
    np.testing.assert_allclose(maximise(two_hills, starts, ("u", "w"), 1.0).log_parameters, [-3, -3], atol=1e-5)


def test_a_parameter_that_runs_off_is_named() -> None:
    def slope(point: Floats) -> tuple[float, Floats]:
        return float(point[1] - point[0] ** 2), np.array([-2 * point[0], 1.0])

    with pytest.raises(FitFailed, match="parameter w runs off to infinity"):
        maximise(slope, STARTS, ("u", "w"), 1.0)


def test_a_flat_direction_is_no_maximum() -> None:
    def ridge(point: Floats) -> tuple[float, Floats]:
        return float(-((point.sum() - 1) ** 2)), np.full(2, -2 * (point.sum() - 1))

    with pytest.raises(FitFailed, match="flat"):
        maximise(ridge, STARTS, ("u", "w"), 1.0)


def test_a_likelihood_that_is_nowhere_finite_is_refused() -> None:
    with pytest.raises(FitFailed, match="not finite"):
        maximise(lambda point: (float("nan"), point * np.nan), STARTS, ("u", "w"), 1.0)


def test_a_hill_that_was_rehearsed_is_climbed_to_its_own_top_in_few_steps() -> None:
    asked = 0

    def counted(point: Floats) -> tuple[float, Floats]:
        nonlocal asked
        asked += 1
        return _hill(point)

    def moved(point: Floats) -> tuple[float, Floats]:
        return _hill(1.1 * point + 0.2)[0], 1.1 * _hill(1.1 * point + 0.2)[1]

    optimum = maximise(counted, STARTS, ("u", "w"), 1.0, moved)
    np.testing.assert_allclose(optimum.log_parameters, [1, -2], atol=1e-4)
    np.testing.assert_allclose(optimum.covariance, np.eye(2) / 9, rtol=1e-6)
    assert asked < 20


def test_a_rehearsal_without_a_top_is_done_without() -> None:
    def slope(point: Floats) -> tuple[float, Floats]:
        return float(point.sum()), np.ones(2)

    np.testing.assert_allclose(maximise(_hill, STARTS, ("u", "w"), 1.0, slope).log_parameters, [1, -2], atol=1e-6)
