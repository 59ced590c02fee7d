"""The density of population and segments: its gradient, and that both coordinates tell of the same posterior."""

from __future__ import annotations

import numpy as np
import pytest

from retentioncast.models import BetaGeo
from retentioncast.models.pooling.empirical import Population
from retentioncast.models.pooling.hyper import make_hyper_prior
from retentioncast.models.pooling.joint import JointDensity, SegmentsLikelihood
from retentioncast.models.pooling.sampling import start_point
from tests.unit.models.pooling.shops import draw_segments, make_segments

PRIOR = make_hyper_prior(BetaGeo().priors())
POPULATION = Population(PRIOR.centre, np.full(4, 0.3), [])


@pytest.fixture(scope="module")
def likelihood() -> SegmentsLikelihood:
    return SegmentsLikelihood(make_segments(draw_segments(3, 1), [30, 60, 90], 1))


@pytest.mark.parametrize("centred", [False, True])
def test_the_gradient_is_that_of_finite_differences(likelihood: SegmentsLikelihood, centred: bool) -> None:
    density = JointDensity(likelihood, PRIOR, centred)
    point = start_point(density, POPULATION, 2)
    gradient = density(point)[1]
    steps = 1e-5 * np.eye(point.size)
    numeric = np.array([(density(point + step)[0] - density(point - step)[0]) / 2e-5 for step in steps])
    np.testing.assert_allclose(numeric, gradient, rtol=1e-6, atol=1e-6 * np.abs(gradient).max())


def test_both_coordinates_differ_by_their_volume_alone(likelihood: SegmentsLikelihood) -> None:
    """log p(theta) = log p(z) - segments x sum of log tau."""
    apart, centred = JointDensity(likelihood, PRIOR), JointDensity(likelihood, PRIOR, centred=True)
    point = start_point(apart, POPULATION, 3)
    mu, tau, theta = apart.split(point)
    other = np.concatenate([mu, np.log(tau), theta.ravel()])
    assert apart(point)[0] - centred(other)[0] == pytest.approx(3 * np.log(tau).sum(), abs=1e-8)
