"""NUTS and importance weights tell the same of the same data; where the weights fail, NUTS decides by itself."""

from __future__ import annotations

import numpy as np
import pytest

from retentioncast.models import BetaGeo
from retentioncast.models.arrays import Floats
from retentioncast.models.uncertainty.importance import Weighed
from retentioncast.models.uncertainty.pareto_smoothing import Smoothed, smooth_weights


@pytest.fixture(scope="module")
def columns() -> list[Floats]:
    model = BetaGeo()
    model.params_ = {"r": 0.6, "alpha": 4.0, "a": 0.8, "b": 2.5}
    frame = model.sample(400, np.random.default_rng(1).integers(10, 60, 400), 1)
    return [frame[name].to_numpy(dtype=np.float64) for name in ("frequency", "recency", "T")]


@pytest.fixture(scope="module")
def sampled(columns: list[Floats]) -> BetaGeo:
    return BetaGeo().fit(*columns, method="nuts", seed=1)


def test_the_chains_agree(sampled: BetaGeo) -> None:
    posterior = sampled.posterior_
    assert posterior is not None and posterior.source == "nuts"
    assert posterior.r_hat < 1.02 and posterior.ess > 500 and np.isnan(posterior.pareto_k)


def test_nuts_and_importance_weights_agree(columns: list[Floats], sampled: BetaGeo) -> None:
    """Means and spreads of the log parameters, to a tenth of the spread."""
    weighed = BetaGeo().fit(*columns, method="laplace", seed=1)
    ours, theirs = np.log(weighed.draw_parameters(1000, 1)), np.log(sampled.draw_parameters(2000, 1))
    assert np.all(np.abs(ours.mean(axis=0) - theirs.mean(axis=0)) < 0.15 * theirs.std(axis=0))
    np.testing.assert_allclose(ours.std(axis=0), theirs.std(axis=0), rtol=0.12)


def test_where_the_weights_fail_nuts_decides(columns: list[Floats], monkeypatch: pytest.MonkeyPatch) -> None:
    def worthless(*_: object) -> Weighed:
        return Weighed(np.empty((1000, 4)), np.empty(1000), Smoothed(np.empty(1000), 0.9, 20.0))

    monkeypatch.setattr("retentioncast.models.uncertainty.infer.weigh_around", worthless)
    model = BetaGeo().fit(*columns, method="laplace", seed=1)
    assert model.posterior_ is not None
    assert model.posterior_.source == "nuts" and model.posterior_.pareto_k == 0.9
    assert "NUTS decided" in model.notes_[0]


def test_without_a_mode_nuts_decides(columns: list[Floats], sampled: BetaGeo, monkeypatch: pytest.MonkeyPatch) -> None:
    from retentioncast.core.errors import FitFailed

    def nowhere(*_: object) -> None:
        raise FitFailed("there is no maximum.")

    monkeypatch.setattr("retentioncast.models.uncertainty.infer.find_mode", nowhere)
    model = BetaGeo().fit(*columns, method="laplace", seed=2)
    assert model.posterior_ is not None and model.posterior_.r_hat < 1.05
    for name, error in sampled.standard_errors_.items():
        assert model.posterior_.mean()[name] == pytest.approx(sampled.posterior_.mean()[name], abs=0.3 * error)  # type: ignore[union-attr]


def test_arviz_takes_the_result(sampled: BetaGeo) -> None:
    from arviz_stats import summary

    assert sampled.posterior_ is not None
    tree = sampled.posterior_.to_inference_data()
    assert dict(tree["posterior"].sizes) == {"chain": 4, "draw": 500}
    assert tree["posterior"].attrs["source"] == "nuts"
    assert set(summary(tree).index) == {"r", "alpha", "a", "b"}


def test_weights_agree_with_those_of_arviz() -> None:
    """ArviZ takes log likelihoods (as leave-one-out has them), of which the ratios are the inverse."""
    from arviz_stats.base import array_stats

    for freedom in (3, 5, 10):
        log_ratios = np.random.default_rng(freedom).standard_t(freedom, 1000)
        theirs, k = array_stats.psislw(-log_ratios)
        ours = smooth_weights(log_ratios)
        assert ours.pareto_k == pytest.approx(float(k), rel=1e-9)
        expected = np.exp(theirs - theirs.max())
        np.testing.assert_allclose(ours.weights, expected / expected.sum(), rtol=1e-9)
