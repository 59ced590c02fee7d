"""The individual form: its density, whom it takes where there are too many, and customers given the population."""

from __future__ import annotations

from typing import Any

import arviz_base
import numpy as np
import pandas as pd
import pytest
from scipy import stats

from retentioncast.core.errors import InvalidInput, NotEnoughData
from retentioncast.models import BetaGeo, CLVConfig, GammaGamma, IndividualCLV
from retentioncast.models.arrays import Floats
from retentioncast.models.clv.config import InvalidConfig
from retentioncast.models.clv.individual.chosen import choose_customers
from retentioncast.models.clv.individual.density import IndividualDensity
from retentioncast.models.clv.individual.given_population import COLUMNS, draw_effects
from retentioncast.models.clv.individual.purchase_effects import PurchaseEffects
from retentioncast.models.clv.individual.sampling import sample_individuals, start_point
from retentioncast.models.clv.individual.spend_effects import SpendEffects
from retentioncast.models.columns import InvalidColumn
from retentioncast.models.pooling.hyper import make_hyper_prior, normal_log_density
from retentioncast.models.pooling.sampling import Sampling
from retentioncast.models.pooling.segments import read_segments
from retentioncast.models.stored import NotFitted
from tests.unit.models.clv.made_up import BUYING, CUSTOMERS, SPEND, make_value

X, T_X = np.array([0.0, 3.0, 1.0, 12.0, 0.0]), np.array([0.0, 20.0, 0.5, 30.0, 0.0])
AGE, M = np.array([30.0, 25.0, 40.0, 31.0, 0.0]), np.array([0.0, 1.4, 0.2, 5.0, 0.0])
PAYING = X > 0
DENSITIES = {
    "purchases": IndividualDensity(
        PurchaseEffects(X, T_X, AGE, np.array([0, 2, 5])), make_hyper_prior(BetaGeo().priors())
    ),
    "spend": IndividualDensity(
        SpendEffects(X[PAYING], M[PAYING], np.array([0, 1, 3])), make_hyper_prior(GammaGamma().priors())
    ),
}


def a_point(density: IndividualDensity, seed: int) -> Floats:
    start = start_point(density, (density.prior.centre, np.full(density.shape[1], 0.3)), seed)
    return start + 0.3 * np.random.default_rng(seed).standard_normal(start.size)


@pytest.mark.parametrize("centred", [False, True])
@pytest.mark.parametrize("part", DENSITIES)
def test_the_gradient_is_that_of_finite_differences(part: str, centred: bool) -> None:
    density = IndividualDensity(DENSITIES[part].customers, DENSITIES[part].prior, centred)
    point = a_point(density, 2)
    gradient = density(point)[1]
    steps = 1e-5 * np.eye(point.size)
    numeric = np.array([(density(point + step)[0] - density(point - step)[0]) / 2e-5 for step in steps])
    np.testing.assert_allclose(numeric, gradient, rtol=1e-6, atol=1e-6 * np.abs(gradient).max())


def test_the_density_is_the_laws_of_the_customers_and_what_they_did_given_their_effects() -> None:
    """Written out with scipy's laws and eq. 3 of Fader, Hardie & Lee (2005), in the effects' own units."""
    density = DENSITIES["purchases"]
    ours, written = [], []
    for seed in range(4):
        point = a_point(density, seed)
        mu, tau, theta, effects = density.split(point)
        rate, p = density.customers.values(theta[None], effects[None])[0]
        r, alpha, a, b = np.exp(theta[[0, 0, 1, 1, 1]]).T
        there = (1 - p) ** X * rate**X * np.exp(-rate * AGE)
        gone = np.where(X > 0, p * (1 - p) ** (X - 1) * rate**X * np.exp(-rate * T_X), 0)
        laws = stats.gamma.logpdf(rate, r, scale=1 / alpha) + stats.beta.logpdf(p, a, b)
        volume = np.log(_slopes(density, point))
        population = normal_log_density(theta, mu, tau).sum() + 2 * np.log(tau).sum()
        prior = density.prior.log_density(mu, np.log(tau))[0]
        written.append((laws + np.log(there + gone) + volume).sum() + population + prior)
        ours.append(density(point)[0])
    assert np.ptp(ours) > 1 and np.ptp(np.subtract(written, ours)) < 1e-5


def _slopes(density: IndividualDensity, point: Floats) -> Floats:
    """How far rate times dropout move with their coordinates, by differences (n,)."""
    _, _, theta, effects = density.split(point)
    moved = [density.customers.values(theta[None], (effects + step)[None])[0] for step in (-1e-6, 1e-6)]
    return np.asarray(np.prod((moved[1] - moved[0]) / 2e-6, axis=0))


@pytest.mark.parametrize("part", DENSITIES)
def test_the_model_in_pymcs_words_has_the_same_density(part: str) -> None:
    from pytensor.compile.mode import Mode

    from retentioncast.models.clv.individual.pymc_model import make_pymc_model, variables_of

    density, mode = DENSITIES[part], Mode(linker="py", optimizer="fast_compile")
    model = make_pymc_model(density)
    value = model.compile_logp(mode=mode)
    differences = []
    for seed in range(3):
        point = a_point(density, seed)
        variables = variables_of(density, point)
        variables["tau_log__"] = np.log(variables.pop("tau"))
        differences.append(float(value(variables)) - density(point)[0])
    assert np.ptp(differences) < 1e-9


@pytest.mark.parametrize("part", DENSITIES)
def test_what_pymc_draws_comes_back_as_points_of_the_density(part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without its sampler, which takes 20 s to compile: chains that stay where they are told to begin."""
    import pymc

    def stay(draws: int, initvals: list[dict[str, Floats]], **how: Any) -> Any:
        names = {variable.name for variable in pymc.modelcontext(None).free_RVs}
        assert set(initvals[0]) == names and how["nuts"] == {"max_treedepth": 10}
        posterior = {name: np.stack([[chain[name]] * draws for chain in initvals]) for name in names}
        still = np.zeros((len(initvals), draws))
        stats = dict.fromkeys(("diverging", "energy", "tree_depth"), still)
        return arviz_base.from_dict({"posterior": posterior, "sample_stats": stats})

    monkeypatch.setattr(pymc, "sample", stay)
    density = DENSITIES[part]
    begin = (density.prior.centre, np.full(density.shape[1], 0.3))
    size = density.of_effects[1]
    trace = sample_individuals(density, Sampling("pymc", chains=2, draws=3, seed=5), list(range(size)), begin)
    mu, tau, theta, effects = density.split(start_point(density, begin, 6))
    expected = dict(zip(density.customers.names, density.customers.values(theta[None], effects[None])[0], strict=True))
    for name, values in {"mu": mu, "tau": tau, "theta": theta, **expected}.items():
        np.testing.assert_allclose(trace["posterior"][name].to_numpy()[1, 2], values)
    assert trace["posterior"].attrs["sampler"] == "pymc"


def test_small_segments_are_taken_whole_and_large_ones_alike() -> None:
    segments = read_segments(pd.Series(["big"] * 500 + ["middle"] * 60 + ["small"] * 7))
    wanted = np.ones(567, dtype=np.bool_)
    chosen = choose_customers(segments, wanted, 100, 1)
    assert np.diff(chosen.edges).tolist() == [46, 46, 7] and chosen.of == 567
    assert np.unique(chosen.places).size == 99 and (chosen.places[:46] < 500).all()
    everybody = choose_customers(segments, wanted, 567, 1)
    assert sorted(everybody.places) == list(range(567))
    wanted[:560] = False
    assert np.diff(choose_customers(segments, wanted, 5, 1).edges).tolist() == [0, 0, 5]
    with pytest.raises(InvalidInput, match="3 segments are more than max_individuals = 2"):
        choose_customers(segments, np.ones(567, dtype=np.bool_), 2, 1)


def test_customers_given_the_population_are_those_of_the_integrated_form() -> None:
    """The means of what is drawn are the closed forms in which the customers are integrated out."""
    d, rng = 40_000, np.random.default_rng(1)
    of_purchases, of_spend = np.tile(np.exp(BUYING), (d, 1)), np.tile(np.exp(SPEND), (d, 1))
    effects, alive = draw_effects((X, T_X, AGE, M), of_purchases, of_spend, rng)
    buying, spend = BetaGeo(), GammaGamma()
    buying.params_ = dict(zip(buying.parameter_names, np.exp(BUYING).tolist(), strict=True))
    spend.params_ = dict(zip(spend.parameter_names, np.exp(SPEND).tolist(), strict=True))
    np.testing.assert_allclose(alive[0], buying.probability_alive(X, T_X, AGE))
    r, alpha, a, b = np.exp(BUYING)
    gone = 1 - alive[0]
    expected = {
        "purchase_rate": (r + X) * (alive[0] / (alpha + AGE) + gone / (alpha + T_X)),
        "dropout": (a + gone) / (a + b + X),
        "mean_spend": spend.expected_spend(X, M),
    }
    for name, mean in expected.items():
        np.testing.assert_allclose(effects[name].mean(axis=0), mean, rtol=0.03)


def fitted_without_a_fit() -> IndividualCLV:
    model, made = IndividualCLV(), make_value()
    model.segments_, model.sizes_, model.pooled_ = made.segments_, made.sizes_, made.pooled_
    return model


def test_each_customers_parameters_are_told_and_a_new_segment_is_the_populations() -> None:
    model = fitted_without_a_fit()
    told = model.predict(CUSTOMERS, draws=50)
    assert told["basis"].tolist() == ["own", "segment", "own", "population", "population"]
    assert np.isfinite(told[list(COLUMNS)].to_numpy()).all()
    assert (told.loc[[12, 14], "probability_alive"] == 1).all() and told["probability_alive"].iloc[4] < 0.9
    for name in ("purchase_rate", "dropout", "mean_spend"):
        assert (told[f"{name}_low_80"] < told[name]).all() and (told[name] < told[f"{name}_high_80"]).all()
    pd.testing.assert_frame_equal(told, model.predict(CUSTOMERS[::-1], draws=50)[::-1])
    width = told["purchase_rate_high_80"] / told["purchase_rate_low_80"]
    assert width[14] > 3 * width[13]


def test_what_has_no_individual_form_is_refused() -> None:
    with pytest.raises(InvalidConfig, match="no individual form of Pareto/NBD"):
        IndividualCLV(family="Pareto/NBD")
    many = pd.concat([CUSTOMERS.iloc[[0, 2, 4]]] * 5, ignore_index=True)
    with pytest.raises(InvalidConfig, match="importance weights"):
        IndividualCLV().fit(many, sampler="psis")
    with pytest.raises(InvalidConfig, match="max_individuals = 0"):
        CLVConfig(max_individuals=0)


def test_bad_customers_are_named_as_in_the_other_form() -> None:
    many = pd.concat([CUSTOMERS.iloc[[0, 2, 4]]] * 5, ignore_index=True)
    with pytest.raises(NotEnoughData, match="there are 0 and 0"):
        IndividualCLV().build_model(many.iloc[:0])
    with pytest.raises(InvalidColumn, match="is before the latest purchase"):
        IndividualCLV().build_model(many.assign(recency=np.where(many.index == 2, 50.0, many["recency"])))
    for ask in (IndividualCLV().fit, IndividualCLV().pymc_model, IndividualCLV().sampled_effects):
        with pytest.raises(NotFitted):
            ask()
    with pytest.raises(NotFitted):
        IndividualCLV().effects(CUSTOMERS)
