"""Pooled segments: they agree with NUTS on the whole, hold the truth, and predict better than each alone or all as one."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy.special import logsumexp

from retentioncast.models import BetaGeo
from retentioncast.models.arrays import Floats
from retentioncast.models.btyd.likelihood import Likelihood
from retentioncast.models.pooling.hyper import make_hyper_prior
from retentioncast.models.pooling.joint import JointDensity, SegmentsLikelihood
from retentioncast.models.pooling.marginal import pool
from retentioncast.models.pooling.pooled import Pooled
from retentioncast.models.pooling.sampling import Sampling, sample_joint
from retentioncast.models.uncertainty.infer import Asked, infer
from retentioncast.models.uncertainty.target import make_target
from tests.unit.models.pooling.shops import MU, draw_segments, make_segments

PRIORS = BetaGeo().priors()
PRIOR = make_hyper_prior(PRIORS)
SIZES = [8, 12, 20, 40, 80, 160]
TRUTH = draw_segments(len(SIZES), 5)


@pytest.fixture(scope="module")
def segments() -> list[Likelihood]:
    return make_segments(TRUTH, SIZES, 5)


@pytest.fixture(scope="module")
def pooled(segments: list[Likelihood]) -> Pooled:
    return pool(segments, PRIOR, 1000, 1)


def test_the_draws_are_vouched_for(pooled: Pooled) -> None:
    assert pooled.pareto_k < 0.7 or pooled.source == "nuts"
    assert pooled.effective.min() > 50
    assert pooled.theta.shape == (1000, len(SIZES), 4)


@pytest.mark.parametrize("sampling", [Sampling(draws=400, tune=400, chains=2), Sampling("pymc", 2, 200, 200)])
def test_it_agrees_with_nuts_on_population_and_segments(
    segments: list[Likelihood], pooled: Pooled, sampling: Sampling
) -> None:
    if sampling.sampler == "pymc":
        pytest.importorskip("pymc")
    tree = sample_joint(JointDensity(SegmentsLikelihood(segments), PRIOR), sampling)
    for name, ours in (("mu", pooled.mu), ("theta", pooled.theta)):
        theirs = tree["posterior"][name].to_numpy().reshape(-1, *ours.shape[1:])
        assert np.abs((ours.mean(axis=0) - theirs.mean(axis=0)) / theirs.std(axis=0)).max() < 0.4
        np.testing.assert_allclose(ours.std(axis=0), theirs.std(axis=0), rtol=0.35)


def test_the_truth_lies_in_the_draws(pooled: Pooled) -> None:
    low, high = np.quantile(pooled.theta, (0.005, 0.995), axis=0)
    assert np.all((low < TRUTH) & (TRUTH < high))
    low, high = np.quantile(pooled.mu, (0.005, 0.995), axis=0)
    assert np.all((low < MU) & (MU < high))


def test_a_new_segment_is_the_population_and_wider_than_a_known_one(pooled: Pooled) -> None:
    new = np.log(pooled.of_new_segment(1))
    assert np.all(new.std(axis=0) > np.log(pooled.of_segment(5)).std(axis=0))


def test_pooling_predicts_other_customers_better_than_none_and_than_full_pooling(pooled: Pooled) -> None:
    """The log predictive density of 200 further customers of each segment."""
    own = make_segments(TRUTH, SIZES, 5)
    held_out = make_segments(TRUTH, [200] * len(SIZES), 77)
    alone = [infer(make_target(lik, PRIORS, 7.0), Asked(PRIOR.names, 1)).posterior.draws for lik in own]
    everybody = infer(make_target(_sum_of(own), PRIORS, 7.0), Asked(PRIOR.names, 1)).posterior.draws
    scores = {
        "pooled": _score(held_out, pooled.of_segment),
        "alone": _score(held_out, lambda i: alone[i]),
        "as one": _score(held_out, lambda _: everybody),
    }
    assert scores["pooled"] > scores["alone"] and scores["pooled"] > scores["as one"], scores


def _score(held_out: list[Likelihood], draws_of: Callable[[int], Floats]) -> float:
    return sum(_log_predictive(likelihood, draws_of(i)[::5]) for i, likelihood in enumerate(held_out))


def _log_predictive(likelihood: Likelihood, draws: Floats) -> float:
    points = likelihood.points_of(draws)
    values = [likelihood.objective()(point)[0] - likelihood.log_unit_sum for point in points]
    return float(logsumexp(values) - np.log(len(values)))


def _sum_of(likelihoods: list[Likelihood]) -> Likelihood:
    """All customers as one segment, in the data's own units."""

    def kernel(parameters: Floats) -> tuple[float, Floats]:
        total, gradient = 0.0, np.zeros(parameters.size)
        for each in likelihoods:
            value, slope = each.kernel(parameters / each.units)
            total, gradient = total + value - each.log_unit_sum, gradient + slope / each.units
        return total, gradient

    customers = sum(each.n_customers for each in likelihoods)
    return Likelihood(kernel, ((0.6, 8.0, 0.8, 2.5),), np.ones(4), 0.0, 0, customers)
