"""Covariates: laws of the families that take them, against the family without them at a customer's own parameters."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from retentioncast.models import BetaGeo, BetaGeometricBetaBinomial, LogNormal
from retentioncast.models.btyd.covariate_model import CovariateModel
from retentioncast.models.btyd.grouping import group_rows
from tests.unit.models.test_laws import CASES, discovered_models

FAMILIES = [model for model in discovered_models() if issubclass(model, CovariateModel)]
PURCHASES = ("frequency", "recency", "T")
#: gamma of a channel (0 or 1) and of an age (about 0 with a spread of 1), for each effect of a family.
GAMMA = {"rate": (0.6, -0.3), "leaving": (-0.5, 0.4), "a": (0.5, 0.2), "b": (-0.3, 0.3)}


@pytest.fixture(scope="module", params=FAMILIES, ids=lambda model: model.__name__)
def truth(request: pytest.FixtureRequest) -> Any:
    model = request.param()
    model.covariates_ = ("web", "age")
    gammas = [gamma for effect in model.effects for gamma in GAMMA[effect.name]]
    values = [*CASES[request.param.__name__].parameters.values(), *np.exp(gammas)]
    model.params_ = dict(zip(model.names, values, strict=True))
    return model


def shop_of(truth: Any, n: int = 3000, seed: int = 5) -> pd.DataFrame:
    """Customers of 10 to 60 weeks with a channel and an age in whole steps, so that some are alike."""
    rng = np.random.default_rng(seed)
    known = pd.DataFrame({"web": rng.integers(0, 2, n), "age": rng.choice([-1.0, 0.0, 1.5], n)})
    if "b" in truth.params_ and "s" in truth.params_:  # Gompertz: the slowest kernel
        known = known.head(n // 3)
    return truth.sample(len(known), rng.integers(10, 60, len(known)), seed, known).join(known)  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def shop(truth: Any) -> pd.DataFrame:
    return shop_of(truth)


def _by_hand(truth: Any, web: float, age: float) -> Any:
    """The family without covariates, its parameters moved as the note says."""
    plain = type(truth)()
    plain.params_ = {name: truth.params_[name] for name in truth.parameter_names}
    signs = {"alpha": ("rate", -1), "beta": ("leaving", -1), "a": ("a", 1), "b": ("b", 1)}
    for name, (effect, sign) in signs.items():
        if name in plain.params_ and effect in {e.name for e in truth.effects}:
            plain.params_[name] *= np.exp(sign * (GAMMA[effect][0] * web + GAMMA[effect][1] * age))
    return plain


def _columns(frame: pd.DataFrame) -> tuple[pd.Series, pd.Series, pd.Series]:
    return frame["frequency"], frame["recency"], frame["T"]


def test_predictions_are_those_of_each_customers_own_parameters(truth: Any, shop: pd.DataFrame) -> None:
    few = shop.head(12)
    draws = np.array(list(truth.params_.values())) * [[1.0], [1.1]]
    alive = truth.probability_alive(*_columns(few), covariates=few)
    silent = truth.probability_no_purchase(5.0, *_columns(few), covariates=few)
    bought = truth.expected_purchases(5.0, *_columns(few), covariates=few)
    new, none = truth.expected_purchases_new(9.0, covariates=few), truth.purchases_pmf(0, 9.0, covariates=few)
    for i, (web, age, *row) in enumerate(few[["web", "age", *PURCHASES]].to_numpy(dtype=np.float64)):
        own, seen = _by_hand(truth, web, age), tuple(row)
        assert alive[i] == pytest.approx(float(own.probability_alive(*seen)), rel=1e-12)
        assert silent[i] == pytest.approx(float(own.probability_no_purchase(5.0, *seen)), rel=1e-12)
        assert bought[i] == pytest.approx(float(own.expected_purchases(5.0, *seen)), rel=1e-12)
        assert new[i] == pytest.approx(float(own.expected_purchases_new(9.0)), rel=1e-12)
        assert none[i] == pytest.approx(float(own.purchases_pmf(0, 9.0)), rel=1e-12)
    np.testing.assert_array_equal(truth.probability_alive(*_columns(few), draws, few)[0], alive)
    assert truth.probability_alive(*_columns(few), draws, few).shape == (2, 12)


def test_the_log_likelihood_is_the_sum_over_customers_who_are_alike(truth: Any, shop: pd.DataFrame) -> None:
    likelihood = _likelihood(truth, shop)
    point = likelihood.points_of(np.array(list(truth.params_.values())))
    total = 0.0
    for _, alike in shop.groupby(["web", "age"]):
        own = _by_hand(truth, *alike[["web", "age"]].iloc[0])
        part = own._likelihood(group_rows(tuple(alike[name].to_numpy(dtype=np.float64) for name in PURCHASES)))
        total += part.objective()(part.points_of(np.array(list(own.params_.values()))))[0] - part.log_unit_sum
    assert likelihood.objective()(point)[0] - likelihood.log_unit_sum == pytest.approx(total, rel=1e-12)


def test_the_gradient_is_that_of_finite_differences(truth: Any, shop: pd.DataFrame) -> None:
    likelihood = _likelihood(truth, shop.head(400))
    objective, point = likelihood.objective(), likelihood.points_of(np.array(list(truth.params_.values()))) + 0.1
    gradient = objective(point)[1]
    for i, step in enumerate(np.eye(point.size) * 1e-5):
        slope = (objective(point + step)[0] - objective(point - step)[0]) / 2e-5
        assert gradient[i] == pytest.approx(slope, rel=1e-5, abs=1e-4)


def test_the_twin_buys_as_customers_of_its_covariates_do(truth: Any) -> None:
    known = pd.DataFrame({"web": [1], "age": [-1.0]})
    seen = truth.sample(30_000, 20.0, 3, known)
    expected = float(truth.expected_purchases_new(20.0, covariates=known)[0])
    assert seen["frequency"].mean() == pytest.approx(expected, abs=4 * seen["frequency"].std() / np.sqrt(30_000))
    orders, _ = truth.sample_future(
        8.0, np.array([2.0]), np.array([9.0]), np.array([12.0]),
        np.tile(list(truth.params_.values()), (30_000, 1)), np.random.default_rng(4), known,
    )  # fmt: skip
    expected = float(truth.expected_purchases(8.0, 2, 9.0, 12.0, covariates=known)[0])
    assert orders.mean() == pytest.approx(expected, abs=4 * orders.std() / np.sqrt(30_000))


def test_known_ratios_are_recovered_however_the_rows_and_columns_stand(truth: Any, shop: pd.DataFrame) -> None:
    known = shop[["age", "web"]]
    model = type(truth)().fit(shop, covariates=known)
    assert model.covariates_ == ("age", "web") and model.n_groups_ < len(shop)
    for i, name in enumerate(model.names):
        error = np.sqrt(model.covariance_[i, i])
        assert abs(np.log(model.params_[name] / truth.params_[name])) < 4 * error < 4
    shuffled = shop.sample(frac=1, random_state=1)
    again = type(truth)().fit(shuffled, covariates=shuffled[["age", "web"]].to_numpy())
    assert list(again.params_.values()) == list(model.params_.values())
    assert model.coefficients().loc["rate[web]", "coefficient"] == pytest.approx(0.6, abs=0.3)


def test_json_keeps_the_columns_by_name(truth: Any, shop: pd.DataFrame) -> None:
    few = shop.head(200)
    model = type(truth)().fit(few, covariates=few[["web", "age"]], method="map")
    again = type(truth).from_json(model.to_json())
    assert again.covariates_ == ("web", "age") and again.to_json() == model.to_json()
    np.testing.assert_array_equal(
        again.probability_alive(*_columns(few), covariates=few[["age", "web"]]),
        model.probability_alive(*_columns(few), covariates=few[["web", "age"]].to_numpy()),
    )


def _likelihood(truth: Any, shop: pd.DataFrame) -> Any:
    columns = tuple(shop[name].to_numpy(dtype=np.float64) for name in ("web", "age", *PURCHASES))
    return truth._likelihood_of(group_rows(columns))


@pytest.fixture(scope="module")
def geo() -> pd.DataFrame:
    truth = BetaGeo()
    truth.covariates_ = ("web",)
    truth.params_ = dict(zip(truth.names, (0.6, 4.0, 0.8, 2.5, 1.8, 1.4, 0.8), strict=True))
    known = pd.DataFrame({"web": np.arange(2000) % 2})
    return truth.sample(2000, np.random.default_rng(1).integers(10, 60, 2000), 2, known).join(known)


def test_the_posterior_has_draws_of_the_ratios_that_predictions_take(geo: pd.DataFrame) -> None:
    model = BetaGeo().fit(geo, covariates=geo[["web"]], method="laplace", seed=1)
    posterior = model.posterior_
    assert posterior is not None and posterior.source == "psis" and posterior.pareto_k < 0.7
    low, high = posterior.interval(0.999)["rate[web]"]
    assert 1 < low < 1.8 < high
    draws = model.draw_parameters(7, 1)
    assert draws.shape == (7, 7)
    assert model.probability_alive(*_columns(geo.head(5)), draws, geo.head(5)).shape == (7, 5)
    assert BetaGeo.from_json(model.to_json()).to_json() == model.to_json()
    warm = BetaGeo().fit(geo, covariates=geo[["web"]], method="laplace", start=model)
    assert warm.posterior_ is not None and warm.posterior_.source == "reweighted"


def test_weights_are_repetition_of_customers_with_their_covariates(geo: pd.DataFrame) -> None:
    weights = np.random.default_rng(3).integers(0, 4, len(geo))
    repeated = geo.loc[np.repeat(geo.index, weights)]
    one = BetaGeo().fit(geo, weights=weights, covariates=geo[["web"]])
    other = BetaGeo().fit(repeated, covariates=repeated[["web"]])
    assert one.log_likelihood_ == pytest.approx(other.log_likelihood_, rel=1e-10)
    assert one.params_ == pytest.approx(other.params_, rel=1e-4)


def test_too_few_customers_get_the_priors_of_the_ratios_too(geo: pd.DataFrame) -> None:
    own = {"rate[web]": LogNormal(2.0, 0.1)}
    model = BetaGeo().fit(geo.head(3), covariates=geo.head(3)[["web"]], method="map", priors=own)
    assert model.prior_only_ and model.params_["rate[web]"] == pytest.approx(2.0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda z: z.assign(web=z["web"].where(z.index != 7)), "column 'web', row 7: nan is not a finite number"),
        (lambda z: z.assign(web=z["web"].astype(object).where(z.index != 7, "x")), "'web', row 7: 'x' is not a number"),
        (lambda z: z.assign(web=z["web"] * 1e4), "row 1: 10000.0 is far from 0; scale the column"),
        (lambda z: z.assign(shop=1.0), "column 'shop' is the same for all customers, or follows"),
        (lambda z: z.assign(other=1 - z["web"]), "column 'other' is the same for all customers, or follows"),
        (lambda z: z.head(30), "covariates of 30 customers, and purchases of 2000"),
        (lambda z: z[[]], "Give each a name of its own"),
        (lambda z: z[["web", "web"]], "Give each a name of its own"),
        (lambda z: np.zeros((2, 2, 2)), r"shape \(2, 2, 2\)"),
    ],
)  # fmt: skip
def test_covariates_that_no_fit_can_use_are_refused(geo: pd.DataFrame, change: Any, message: str) -> None:
    model = BetaGeo().fit(geo)
    before = model.to_json()
    with pytest.raises(ValueError, match=message):
        model.fit(geo, covariates=change(geo[["web"]]))
    assert model.to_json() == before


def test_predictions_ask_for_the_columns_of_the_fit(geo: pd.DataFrame) -> None:
    model = BetaGeo().fit(geo, covariates=geo[["web"]])
    one = (2, 5.0, 9.0)
    with pytest.raises(ValueError, match=r"fitted with the covariates web\. Pass them"):
        model.probability_alive(*one)
    with pytest.raises(ValueError, match=r"column 'web', row None: None is missing; the covariates have \['wbe'\]"):
        model.probability_alive(*one, covariates=pd.DataFrame({"wbe": [1]}))
    with pytest.raises(ValueError, match="row 0: inf is not a finite number"):
        model.probability_alive(*one, covariates=pd.DataFrame({"web": [np.inf]}))
    with pytest.raises(ValueError, match=r"shape \(1, 2\)"):
        model.probability_alive(*one, covariates=np.ones((1, 2)))
    with pytest.raises(ValueError, match="covariates of 2 customers, and purchases of 3"):
        model.probability_alive([2] * 3, [5.0] * 3, [9.0] * 3, covariates=np.ones(2))
    with pytest.raises(ValueError, match="fitted without covariates"):
        BetaGeo().fit(geo).probability_alive(*one, covariates=np.ones(1))


def test_rows_in_another_order_are_not_taken_for_the_same_customers(geo: pd.DataFrame) -> None:
    summary = geo.set_axis([f"c{i}" for i in geo.index])
    other = summary[["web"]].iloc[::-1]
    with pytest.raises(ValueError, match=r"their indexes differ.*loc\[purchases.index\]"):
        BetaGeo().fit(summary, covariates=other)
    model = BetaGeo().fit(summary, covariates=other.loc[summary.index])
    with pytest.raises(ValueError, match="their indexes differ"):
        model.probability_alive(*_columns(summary), covariates=other)


def test_a_family_without_covariates_says_so() -> None:
    with pytest.raises(ValueError, match="is not fitted with 'covariates'"):
        BetaGeometricBetaBinomial().fit([1] * 20, [1] * 20, [2] * 20, covariates=np.ones(20))  # type: ignore[call-arg]
