"""Laws that every model fitted by its likelihood must keep; a new model is found by itself and must bring a case."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from inspect import getmembers, isabstract, isclass
from pkgutil import iter_modules
from typing import Any

import numpy as np
import pandas as pd
import pytest

import retentioncast.models
import retentioncast.models.btyd
import retentioncast.models.subscription
from retentioncast.models.arrays import Floats
from retentioncast.models.btyd.likelihood_model import LikelihoodModel
from retentioncast.models.stored import DamagedModel, NotFitted, content_hash


@dataclass(frozen=True)
class Case:
    """Known parameters, columns simulated from them, and the predictions that a model makes for them."""

    parameters: dict[str, float]
    sample: Callable[[Any, int], list[Floats]]
    predictions: dict[str, Callable[[Any, list[Floats], Floats | None], Floats]]


def _purchases(model: Any, seed: int) -> list[Floats]:
    frame = model.sample(6000, np.random.default_rng(seed).integers(10, 60, 6000), seed)
    return [frame[name].to_numpy(dtype=np.float64) for name in ("frequency", "recency", "T")]


def _fewer_purchases(model: Any, seed: int) -> list[Floats]:
    return [column[:2500] for column in _purchases(model, seed)]


def _spend(model: Any, seed: int) -> list[Floats]:
    frame = model.sample(4000, np.random.default_rng(seed).integers(0, 8, 4000), seed)
    return [frame[name].to_numpy(dtype=np.float64) for name in ("frequency", "monetary_value")]


def _contracts(model: Any, seed: int) -> list[Floats]:
    frame = model.sample(6000, np.random.default_rng(seed).integers(1, 24, 6000), seed)
    return [frame[name].to_numpy(dtype=np.float64) for name in ("periods", "lost")]


_OF_PURCHASES: dict[str, Callable[[Any, list[Floats], Floats | None], Floats]] = {
    "probability_alive": lambda model, columns, draws: model.probability_alive(*columns, parameters=draws),
    "no_purchase": lambda m, columns, draws: m.probability_no_purchase(5.0, *columns, parameters=draws),
    "purchases": lambda model, columns, draws: model.expected_purchases(5.0, *columns, parameters=draws),
}

CASES = {
    "BetaGeo": Case({"r": 0.6, "alpha": 4.0, "a": 0.8, "b": 2.5}, _purchases, _OF_PURCHASES),
    "BetaGeometricBetaBinomial": Case(
        {"alpha": 0.9, "beta": 2.5, "gamma": 0.6, "delta": 6.0}, _purchases, _OF_PURCHASES
    ),
    "ModifiedBetaGeo": Case({"r": 0.6, "alpha": 4.0, "a": 0.8, "b": 2.5}, _purchases, _OF_PURCHASES),
    "ParetoNBD": Case({"r": 0.8, "alpha": 4.0, "s": 0.8, "beta": 10.0}, _purchases, _OF_PURCHASES),
    "GammaGompertzNBD": Case(
        {"r": 2.0, "alpha": 4.0, "b": 0.15, "s": 1.0, "beta": 20.0}, _fewer_purchases, _OF_PURCHASES
    ),
    "GammaGamma": Case(
        {"p": 5.0, "q": 4.0, "v": 20.0},
        _spend,
        {"spend": lambda model, columns, draws: model.expected_spend(*columns, parameters=draws)},
    ),
    "ShiftedBetaGeometric": Case(
        {"alpha": 0.8, "beta": 4.0},
        _contracts,
        {
            "active": lambda model, columns, draws: model.probability_active(5, columns[0], parameters=draws),
            "lifetime": lambda model, columns, draws: model.residual_lifetime(columns[0], 0.1, parameters=draws),
        },
    ),
}


#: The rooms whose models are fitted by their likelihood.
ROOMS = (retentioncast.models.btyd, retentioncast.models.subscription)


def discovered_models() -> list[type[LikelihoodModel]]:
    found = set()
    for module in (module for room in ROOMS for module in iter_modules(room.__path__, f"{room.__name__}.")):
        for _, thing in getmembers(import_module(module.name), isclass):
            if issubclass(thing, LikelihoodModel) and thing is not LikelihoodModel and not isabstract(thing):
                found.add(thing)
    return sorted(found, key=lambda model: model.__name__)


def truth_of(model_class: type[LikelihoodModel]) -> Any:
    model = model_class()
    model.params_ = dict(CASES[model_class.__name__].parameters)
    return model


def fit_to(model_class: type[Any], columns: list[Floats], weights: Floats | None = None) -> Any:
    return model_class().fit(*columns, weights=weights)


@pytest.fixture(scope="module", params=discovered_models(), ids=lambda model: model.__name__)
def model_class(request: pytest.FixtureRequest) -> type[Any]:
    assert request.param.__name__ in CASES, f"give {request.param.__name__} a case in {__name__}"
    return request.param  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def columns(model_class: type[Any]) -> list[Floats]:
    return CASES[model_class.__name__].sample(truth_of(model_class), 11)


@pytest.fixture(scope="module")
def fitted(model_class: type[Any], columns: list[Floats]) -> Any:
    return fit_to(model_class, columns)


def test_every_model_can_be_imported_from_the_models(model_class: type[Any]) -> None:
    assert getattr(retentioncast.models, model_class.__name__) is model_class
    assert model_class.__name__ in retentioncast.models.__all__


def test_known_parameters_are_recovered(model_class: type[Any], fitted: Any) -> None:
    """Within 4 standard errors on the log scale, and the errors are small enough for that to mean something."""
    for i, (name, value) in enumerate(CASES[model_class.__name__].parameters.items()):
        error = float(np.sqrt(fitted.covariance_[i, i]))
        assert error < 0.25
        assert abs(np.log(fitted.params_[name] / value)) < 4 * error


def test_weights_are_repetition(model_class: type[Any], columns: list[Floats]) -> None:
    part = [column[:2000] for column in columns]
    weights = np.random.default_rng(3).integers(0, 4, 2000)
    repeated = fit_to(model_class, [np.repeat(column, weights) for column in part])
    weighted = fit_to(model_class, part, weights.astype(np.float64))
    assert weighted.log_likelihood_ == pytest.approx(repeated.log_likelihood_, rel=1e-10)
    assert weighted.params_ == pytest.approx(repeated.params_, rel=1e-4)
    assert weighted.n_customers_ == repeated.n_customers_


def test_the_order_of_rows_does_not_matter(model_class: type[Any], columns: list[Floats], fitted: Any) -> None:
    shuffle = np.random.default_rng(5).permutation(columns[0].size)
    assert fit_to(model_class, [column[shuffle] for column in columns]).params_ == fitted.params_


def test_same_seed_same_draws_and_another_seed_others(fitted: Any) -> None:
    np.testing.assert_array_equal(fitted.draw_parameters(50, 1), fitted.draw_parameters(50, 1))
    assert not np.array_equal(fitted.draw_parameters(50, 1), fitted.draw_parameters(50, 2))


def test_draws_lie_around_the_fit_as_widely_as_the_errors_say(model_class: type[Any], fitted: Any) -> None:
    draws = np.log(fitted.draw_parameters(20_000, 1))
    centre = np.log([fitted.params_[name] for name in model_class.parameter_names])
    whiten = np.linalg.inv(np.linalg.cholesky(fitted.covariance_))
    np.testing.assert_allclose(whiten @ np.cov(draws.T) @ whiten.T, np.eye(len(centre)), atol=0.05)
    assert np.all(np.abs(draws.mean(axis=0) - centre) < 0.05 * np.sqrt(np.diag(fitted.covariance_)))


def test_json_round_trip_is_exact(model_class: type[Any], fitted: Any) -> None:
    again = model_class.from_json(fitted.to_json())
    assert again.params_ == fitted.params_ and again.to_json() == fitted.to_json()
    np.testing.assert_array_equal(again.draw_parameters(5, 1), fitted.draw_parameters(5, 1))


def test_changed_json_is_refused(model_class: type[Any], fitted: Any) -> None:
    content = json.loads(fitted.to_json())
    content["params"][model_class.parameter_names[0]] *= 1.01
    with pytest.raises(DamagedModel, match="hash"):
        model_class.from_json(json.dumps(content))
    with pytest.raises(DamagedModel, match="no stored model"):
        model_class.from_json("[]")


def test_json_of_another_version_is_refused(model_class: type[Any], fitted: Any) -> None:
    content = json.loads(fitted.to_json()) | {"schema_version": 99}
    del content["hash"]
    with pytest.raises(DamagedModel, match="schema version 99"):
        model_class.from_json(json.dumps(content | {"hash": content_hash(content)}))


def test_a_model_without_a_fit_says_so(model_class: type[Any]) -> None:
    with pytest.raises(NotFitted, match="Call fit"):
        model_class().draw_parameters(1, 1)


def test_predictions_for_draws_are_those_of_each_draw(model_class: type[Any], columns: list[Floats]) -> None:
    case, model = CASES[model_class.__name__], truth_of(model_class)
    one = np.array(list(case.parameters.values()))
    few = [column[:40] for column in columns]
    for predict in case.predictions.values():
        both = predict(model, few, np.array([one, one * 1.1]))
        assert both.shape == (2, 40)
        np.testing.assert_allclose(both[0], predict(model, few, None), rtol=1e-12)
        np.testing.assert_allclose(both[1], predict(model, few, one * 1.1), rtol=1e-12)


def test_predictions_are_finite_for_outliers(model_class: type[Any], columns: list[Floats]) -> None:
    """A thousand times the usual: a hundred thousand orders, or a million in money."""
    case, model = CASES[model_class.__name__], truth_of(model_class)
    huge = [np.ceil(column[:200] * 1000) for column in columns]
    for predict in case.predictions.values():
        assert np.all(np.isfinite(predict(model, huge, None)))


def test_input_is_left_as_it_was(model_class: type[Any], columns: list[Floats]) -> None:
    frame = pd.DataFrame(dict(enumerate(columns)))
    before = frame.copy()
    fit_to(model_class, [frame[i].to_numpy() for i in frame.columns])
    pd.testing.assert_frame_equal(frame, before)
