"""Segments borrow from each other as far as the data let them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from retentioncast.core.errors import NotEnoughData
from retentioncast.models import BetaGeo
from retentioncast.models.arrays import Floats
from retentioncast.models.btyd.grouping import group_rows
from retentioncast.models.pooling.pooled import Pooled
from retentioncast.models.pooling.sampling import Sampling
from retentioncast.models.pooling.segments import pool_segments, segment_likelihoods

TRUTH = {"a": 0.4, "b": 0.7, "c": 1.1, "tiny": 0.7}
SIZES = {"a": 150, "b": 150, "c": 150, "tiny": 15}


def _segment(name: str, seed: int) -> pd.DataFrame:
    model = BetaGeo()
    model.params_ = {"r": TRUTH[name], "alpha": 5.0, "a": 0.8, "b": 2.5}
    sampled = model.sample(SIZES[name], np.random.default_rng(seed).integers(20, 60, SIZES[name]), seed)
    return sampled.assign(segment=name)


@pytest.fixture(scope="module")
def summary() -> pd.DataFrame:
    return pd.concat([_segment(name, seed) for seed, name in enumerate(TRUTH)], ignore_index=True)


@pytest.fixture(scope="module")
def pooled(summary: pd.DataFrame) -> Pooled:
    segments, found = pool_segments(
        BetaGeo(), summary, draws=400, seed=1, fallback=Sampling(chains=2, draws=200, tune=200)
    )
    assert segments.names == tuple(TRUTH) and segments.sizes.tolist() == list(SIZES.values())
    return found


def of(pooled: Pooled, name: str) -> Floats:
    return pooled.of_segment(list(TRUTH).index(name))


@pytest.mark.parametrize("name", list(TRUTH))
def test_the_truth_of_each_segment_lies_within_its_draws(pooled: Pooled, name: str) -> None:
    low, high = np.quantile(of(pooled, name), (0.0005, 0.9995), axis=0)
    assert np.all(low < [TRUTH[name], 5.0, 0.8, 2.5]) and np.all([TRUTH[name], 5.0, 0.8, 2.5] < high)


def test_large_segments_keep_their_own_and_a_tiny_one_borrows(summary: pd.DataFrame, pooled: Pooled) -> None:
    """By itself the tiny segment's alpha is known to a factor of two or so; pooled, much better."""
    alone = {name: BetaGeo().fit(part, method="laplace") for name, part in summary.groupby("segment")}
    widths = {
        name: np.log(of(pooled, str(name))).std(axis=0) / np.sqrt(np.diag(model.covariance_))
        for name, model in alone.items()
    }
    assert widths["tiny"][1] < 0.75 and widths["tiny"].mean() < 0.75
    for name in "abc":
        assert abs(np.log(of(pooled, name)[:, 0].mean() / alone[name].params_["r"])) < 0.35


def test_a_segment_that_nothing_is_known_of_is_less_certain(pooled: Pooled) -> None:
    new = np.log(pooled.of_new_segment(1))
    assert np.all(new.std(axis=0) > np.log(of(pooled, "a")).std(axis=0))


def test_one_segment_cannot_be_pooled(summary: pd.DataFrame) -> None:
    with pytest.raises(NotEnoughData, match="pooling needs two"):
        pool_segments(BetaGeo(), summary[summary["segment"] == "a"])


def test_a_customer_without_a_segment_is_named(summary: pd.DataFrame) -> None:
    with pytest.raises(ValueError, match="row 3: None names no segment"):
        pool_segments(BetaGeo(), summary.assign(segment=summary["segment"].where(summary.index != 3)))


def test_the_operation_and_its_gradient_are_those_of_the_segments(summary: pd.DataFrame) -> None:
    from retentioncast.models.uncertainty.pymc_model import GroupedLikelihood

    _, likelihoods = segment_likelihoods(BetaGeo(), summary, "segment")
    operation, point = GroupedLikelihood(likelihoods), np.log(np.array([[0.5, 4.0, 0.7, 2.0]] * 4))
    value, gradient = operation.evaluate(point)
    for i in range(4):
        for j in range(4):
            step = np.zeros((4, 4))
            step[i, j] = 1e-5
            slope = (operation.evaluate(point + step)[0] - operation.evaluate(point - step)[0]) / 2e-5
            assert gradient[i, j] == pytest.approx(slope, rel=1e-4, abs=1e-3)
    assert np.isfinite(value)


@pytest.mark.filterwarnings("ignore:Numba will use object mode")
def test_pymc_samples_the_same_posterior(summary: pd.DataFrame) -> None:
    import pymc as pm

    from retentioncast.models.uncertainty.pymc_model import pymc_model

    part = summary[summary["segment"] == "a"]
    groups = group_rows(tuple(part[name].to_numpy(dtype=np.float64) for name in ("frequency", "recency", "T")))
    model = pymc_model(BetaGeo()._likelihood(groups), BetaGeo().priors())
    with model:
        trace = pm.sample(
            200, tune=300, chains=2, cores=1, random_seed=1, progressbar=False, compute_convergence_checks=False
        )
    ours = BetaGeo().fit(part, method="laplace")
    assert ours.posterior_ is not None
    for name, mean in ours.posterior_.mean().items():
        theirs = float(trace["posterior"][name].mean())
        assert theirs == pytest.approx(mean, abs=0.35 * ours.standard_errors_[name])
