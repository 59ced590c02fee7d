"""Laws of the posterior, kept by every model that is found."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from retentioncast.core.errors import NotEnoughData
from retentioncast.models.arrays import Floats
from retentioncast.models.uncertainty.fitting import CannotFit
from retentioncast.models.uncertainty.posterior import Posterior
from tests.unit.models.test_laws import CASES, discovered_models, truth_of

N = 1500


@pytest.fixture(scope="module", params=discovered_models(), ids=lambda model: model.__name__)
def model_class(request: pytest.FixtureRequest) -> type[Any]:
    return request.param  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def columns(model_class: type[Any]) -> list[Floats]:
    return [column[:N] for column in CASES[model_class.__name__].sample(truth_of(model_class), 11)]


@pytest.fixture(scope="module")
def fitted(model_class: type[Any], columns: list[Floats]) -> Any:
    return model_class().fit(*columns, method="laplace", seed=5)


def posterior_of(model: Any) -> Posterior:
    assert model.posterior_ is not None
    return model.posterior_  # type: ignore[no-any-return]


def test_the_truth_lies_within_the_posterior(model_class: type[Any], fitted: Any) -> None:
    for name, (low, high) in posterior_of(fitted).interval(0.9999).items():
        assert low < CASES[model_class.__name__].parameters[name] < high


def test_the_certificate_says_that_the_weights_can_be_trusted(fitted: Any) -> None:
    posterior = posterior_of(fitted)
    assert posterior.source == "psis" and posterior.pareto_k < 0.7 and posterior.ess >= 400
    assert not fitted.prior_only_ and fitted.method_ == "laplace" and fitted.n_customers_ > 0


def test_errors_and_draws_are_those_of_the_posterior(fitted: Any) -> None:
    draws = fitted.draw_parameters(1000, 1)
    np.testing.assert_array_equal(np.sort(draws, axis=0), np.sort(posterior_of(fitted).draws, axis=0))
    np.testing.assert_allclose(np.cov(np.log(draws).T), fitted.covariance_, rtol=1e-6)
    assert fitted.draw_parameters(3000, 1).shape == (3000, draws.shape[1])


def test_arviz_takes_the_draws_and_their_certificate(fitted: Any) -> None:
    posterior = posterior_of(fitted)
    group = posterior.to_inference_data()["posterior"]
    assert dict(group.sizes) == {"chain": 1, "draw": len(posterior.draws)}
    for i, name in enumerate(posterior.parameter_names):
        np.testing.assert_array_equal(group[name].to_numpy()[0], posterior.draws[:, i])
    assert group.attrs["source"] == "psis" and group.attrs["pareto_k"] == posterior.pareto_k


def test_map_is_the_mode_of_the_same_posterior(model_class: type[Any], columns: list[Floats], fitted: Any) -> None:
    mode = model_class().fit(*columns, method="map")
    assert mode.params_ == pytest.approx(fitted.params_, rel=1e-6)
    assert mode.posterior_ is None
    best = model_class().fit(*columns)
    assert best.log_likelihood_ >= mode.log_likelihood_


def test_same_seed_same_draws_whatever_the_order(model_class: type[Any], columns: list[Floats], fitted: Any) -> None:
    shuffle = np.random.default_rng(5).permutation(N)
    again = model_class().fit(*[column[shuffle] for column in columns], method="laplace", seed=5)
    np.testing.assert_array_equal(posterior_of(again).draws, posterior_of(fitted).draws)
    other = model_class().fit(*columns, method="laplace", seed=6)
    assert not np.array_equal(posterior_of(other).draws, posterior_of(fitted).draws)


def test_json_keeps_the_draws_bit_for_bit(model_class: type[Any], fitted: Any) -> None:
    again = model_class.from_json(fitted.to_json())
    assert again.to_json() == fitted.to_json()
    np.testing.assert_array_equal(again.draw_parameters(9, 2), fitted.draw_parameters(9, 2))


def test_below_ten_customers_the_priors_are_all_there_is(model_class: type[Any], columns: list[Floats]) -> None:
    few = [column[:3] for column in columns]
    with pytest.raises(NotEnoughData):
        model_class().fit(*few)
    model = model_class().fit(*few, method="laplace")
    assert model.prior_only_ and model.n_customers_ == 0 and posterior_of(model).source == "prior"
    assert "no data" in model.notes_[0]
    spread = np.log(posterior_of(model).draws).std(axis=0)
    np.testing.assert_allclose(spread, [prior.spread for prior in model.priors().values()], rtol=0.15)
    assert model_class.from_json(model.to_json()).prior_only_


def test_no_customer_at_all_is_no_error_with_priors(model_class: type[Any], columns: list[Floats]) -> None:
    nobody = [column[:0] for column in columns]
    assert model_class().fit(*nobody, method="map").prior_only_


def test_a_method_that_does_not_exist_is_refused(model_class: type[Any], columns: list[Floats]) -> None:
    with pytest.raises(CannotFit, match="Choose one of mle, map, laplace, nuts"):
        model_class().fit(*columns, method="advi")
