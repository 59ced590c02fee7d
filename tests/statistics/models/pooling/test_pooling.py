"""Pooled segments: they agree with NUTS on the whole, hold the truth, and fall back to NUTS where weights fail."""

from __future__ import annotations

import numpy as np
import pytest

from retentioncast.models import BetaGeo
from retentioncast.models.btyd.likelihood import Likelihood
from retentioncast.models.pooling.empirical import find_population
from retentioncast.models.pooling.hyper import make_hyper_prior
from retentioncast.models.pooling.joint import JointDensity, SegmentsLikelihood
from retentioncast.models.pooling.marginal import pool_by_importance
from retentioncast.models.pooling.pool import pool, trusted
from retentioncast.models.pooling.pooled import Pooled
from retentioncast.models.pooling.sampling import Sampling, sample_joint
from tests.unit.models.pooling.shops import MU, draw_segments, make_segments

PRIORS = BetaGeo().priors()
PRIOR = make_hyper_prior(PRIORS)
SIZES = [8, 12, 40, 80, 160, 300]
TRUTH = draw_segments(len(SIZES), 5)


@pytest.fixture(scope="module")
def segments() -> list[Likelihood]:
    return make_segments(TRUTH, SIZES, 5)


@pytest.fixture(scope="module")
def pooled(segments: list[Likelihood]) -> Pooled:
    return pool_by_importance(segments, PRIOR, 1000, 1, None)[0]


def test_the_draws_are_vouched_for(pooled: Pooled) -> None:
    assert trusted(pooled)
    assert pooled.theta.shape == (1000, len(SIZES), 4)


@pytest.mark.parametrize("sampling", [Sampling(draws=200, tune=200, chains=2), Sampling("pymc", 2, 150, 200)])
def test_it_agrees_with_nuts_on_population_and_segments(
    segments: list[Likelihood], pooled: Pooled, sampling: Sampling
) -> None:
    tree = sample_joint(JointDensity(SegmentsLikelihood(segments), PRIOR), sampling, find_population(segments, PRIOR))
    for name, ours in (("mu", pooled.mu), ("theta", pooled.theta)):
        theirs = tree["posterior"][name].to_numpy().reshape(-1, *ours.shape[1:])
        assert np.abs((ours.mean(axis=0) - theirs.mean(axis=0)) / theirs.std(axis=0)).max() < 0.4
        np.testing.assert_allclose(ours.std(axis=0), theirs.std(axis=0), rtol=0.4)


def test_the_truth_lies_in_the_draws(pooled: Pooled) -> None:
    for draws, truth in ((pooled.theta, TRUTH), (pooled.mu, MU)):
        assert np.abs((draws.mean(axis=0) - truth) / draws.std(axis=0)).max() < 4


def test_a_new_segment_is_the_population_and_wider_than_a_known_one(pooled: Pooled) -> None:
    new = np.log(pooled.of_new_segment(1))
    assert np.all(new.std(axis=0) > np.log(pooled.of_segment(5)).std(axis=0))


def test_where_too_few_draws_are_left_behind_a_segment_nuts_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    tiny = make_segments(draw_segments(3, 8), [12] * 3, 8)
    weighed, _ = pool_by_importance(tiny, PRIOR, 1000, 1, None)
    monkeypatch.setattr("retentioncast.models.pooling.pool.FEWEST_BEHIND", float(weighed.effective.min()) + 1)
    sampled, trace = pool(tiny, PRIOR, seed=1, fallback=Sampling(draws=150, tune=150, chains=2))
    assert sampled.source == "nuts" and trace["posterior"]["theta"].shape == (2, 150, 3, 4)
    assert trace["posterior"].attrs["pareto_k"] == weighed.pareto_k
