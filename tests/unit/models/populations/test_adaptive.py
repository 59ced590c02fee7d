"""Importance draws of posteriors that one curve does not cover: two modes, a bend."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from retentioncast.models.arrays import Floats
from retentioncast.models.btyd.optimum import Optimum
from retentioncast.models.populations.adaptive import weigh_modes
from retentioncast.models.populations.proposals import over_modes, refitted


def mode(centre: list[float], height: float, sd: float = 1.0) -> Optimum:
    return Optimum(np.array(centre), height, sd**2 * np.eye(len(centre)))


@dataclass(frozen=True)
class TwoHills:
    """Normals of standard deviation 1, ten apart, the first with a quarter of the mass."""

    def densities(self, points: Floats) -> Floats:
        first, second = (-0.5 * np.square(points - centre).sum(axis=1) for centre in ([0, 0], [10, 0]))
        return np.asarray(np.logaddexp(np.log(0.25) + first, np.log(0.75) + second))


@dataclass(frozen=True)
class Bend:
    """x is normal, y normal around half of x squared (a mild case of Haario, Saksman & Tamminen's banana, 1999)."""

    def densities(self, points: Floats) -> Floats:
        x, y = points.T
        return np.asarray(-0.5 * x**2 - 0.5 * ((y - 0.5 * x**2) / 0.5) ** 2)


def test_each_mode_counts_by_its_mass_however_high_the_search_saw_it() -> None:
    modes = [mode([0, 0], 3.0), mode([10, 0], 0.0)]  # the lesser one seems e^3 times the other
    weighed = weigh_modes(modes, TwoHills(), 1)
    assert weighed.trusted
    assert weighed.smoothed.weights[weighed.points[:, 0] < 5].sum() == pytest.approx(0.25, abs=0.04)


def test_a_bend_is_followed_until_the_weights_can_be_trusted() -> None:
    weighed = weigh_modes([mode([0, 0], 0.0, 0.4)], Bend(), 1)
    assert weighed.trusted and len(weighed.points) > 1000
    x, y = weighed.points.T
    weights = weighed.smoothed.weights
    assert weights @ x**2 == pytest.approx(1.0, abs=0.15)
    assert weights @ y == pytest.approx(0.5, abs=0.1) and weights @ y**2 == pytest.approx(1.0, rel=0.3)


def test_the_same_seed_weighs_the_same_points() -> None:
    one, again = (weigh_modes([mode([0, 0], 0.0)], Bend(), 4).points for _ in range(2))
    np.testing.assert_array_equal(one, again)


def test_a_mixture_has_the_density_that_it_is_drawn_from() -> None:
    """The mean of f/q over draws from q is 1 for a density f within q."""
    rng = np.random.default_rng(1)
    points = rng.standard_normal((500, 2)) * [1, 2]
    proposal = refitted(points, np.full(500, 1 / 500), np.eye(2), rng)
    drawn = proposal.draw(4000, rng)
    inside = -0.5 * np.square(drawn / [1, 2]).sum(axis=1) - np.log(2 * 2 * np.pi)
    assert np.exp(inside - proposal.log_density(drawn)).mean() == pytest.approx(1, abs=0.04)
    assert over_modes([mode([0], 0.0), mode([5], -50.0)]).shares[1] == pytest.approx(0.05 / 1.05)
