"""Every distribution of the registry is the one that its name says: density, survival and samples are scipy's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats
from scipy.integrate import quad

from retentioncast.models.populations.distributions import FAMILIES, WAITING, Distribution
from retentioncast.models.populations.problems import InvalidPopulation
from retentioncast.models.populations.reading import read_distribution

CASES: dict[str, tuple[dict[str, float], Any]] = {
    "exponential": ({"rate": 0.25}, stats.expon(scale=4)),
    "gamma": ({"shape": 2.5, "scale": 3.0}, stats.gamma(2.5, scale=3)),
    "weibull": ({"shape": 1.7, "scale": 6.0}, stats.weibull_min(1.7, scale=6)),
    "normal": ({"mean": 2.0, "sd": 3.0}, stats.truncnorm(-2 / 3, np.inf, loc=2, scale=3)),
    "lognormal": ({"mu": 1.2, "sigma": 0.6}, stats.lognorm(0.6, scale=np.exp(1.2))),
    "geometric": ({"p": 0.3}, stats.geom(0.3)),
    "uniform": ({"low": 1.0, "high": 5.0}, stats.uniform(1, 4)),
}
TIMES = np.array([0.01, 0.5, 1.0, 2.0, 3.7, 5.0, 11.0, 40.0])


def made(name: str) -> tuple[Distribution, Any]:
    parameters, reference = CASES[name]
    return Distribution(name, parameters), reference


def test_every_waiting_time_has_a_case_here() -> None:
    assert {*CASES, "constant"} == set(WAITING)


@pytest.mark.parametrize("name", CASES)
def test_density_and_survival_are_the_references(name: str) -> None:
    ours, reference = made(name)
    with np.errstate(divide="ignore"):
        density = reference.logpmf(TIMES) if name == "geometric" else reference.logpdf(TIMES)
        survival = reference.logsf(TIMES)
    np.testing.assert_allclose(ours.log_pdf(TIMES), density, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(ours.log_sf(TIMES), survival, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", CASES)
def test_samples_follow_the_distribution(name: str) -> None:
    ours, reference = made(name)
    drawn = ours.sample(np.random.default_rng(3), 20_000)
    assert drawn.shape == (20_000,) and drawn.min() >= 0
    error = reference.std() / np.sqrt(drawn.size)
    assert abs(drawn.mean() - reference.mean()) < 4 * error
    at = reference.ppf([0.1, 0.5, 0.9])
    np.testing.assert_allclose([(drawn <= each).mean() for each in at], reference.cdf(at), atol=0.015)


def test_a_constant_is_one_moment() -> None:
    constant = Distribution("constant", {"value": 2.0})
    assert constant.log_pdf(np.array([1.0, 2.0, 3.0])).tolist() == [-np.inf, 0.0, -np.inf]
    assert constant.log_sf(np.array([1.0, 2.0, 3.0])).tolist() == [0.0, -np.inf, -np.inf]
    assert constant.sample(np.random.default_rng(1), 3).tolist() == [2.0, 2.0, 2.0]


@pytest.mark.parametrize("name", ["constant", "geometric"])
def test_atoms_are_sharp_in_the_likelihood_and_integrate_to_their_mass(name: str) -> None:
    values = [2.0] if name == "constant" else [0.3]
    density = FAMILIES[name].log_density
    assert density is not None
    whole = quad(lambda t: float(np.exp(density(np.array([t]), values))[0]), 1.98, 2.02, points=[2.0])[0]
    assert whole == pytest.approx(1.0 if name == "constant" else 0.3 * 0.7, rel=1e-6)


def test_the_far_tail_of_a_gamma_is_finite_and_right() -> None:
    """Beyond 700 scales Q underflows; the ratio to the density is then scale x (1 + (shape - 1) / x)."""
    gamma = Distribution("gamma", {"shape": 2.0, "scale": 1.0})
    far = np.array([600.0, 900.0, 5000.0])
    np.testing.assert_allclose(gamma.log_sf(far), np.log1p(far) - far, rtol=1e-12)


def test_a_mean_says_the_same_as_the_parameters() -> None:
    said = read_distribution("p", "f", ("gamma", {"shape": 2, "mean": 10}))
    assert said == Distribution("gamma", {"shape": 2.0, "scale": 5.0})
    assert read_distribution("p", "f", ["exponential", {"mean": 4}]).values == (0.25,)
    assert read_distribution("p", "f", 3) == Distribution("constant", {"value": 3.0})


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (("gama", {"shape": 1}), "unknown distribution 'gama'"),
        (("gamma", {"shape": 1}), "gamma.scale: is missing"),
        (("gamma", {"shape": -1, "scale": 1}), "gamma.shape: -1 is out of range"),
        (("geometric", {"p": 1}), "geometric.p: 1 is out of range"),
        (("uniform", {"low": 3, "high": 2}), "uniform.high: 2 is not above low"),
        (("exponential", {"rate": "fast"}), "exponential.rate: 'fast' is not a number"),
        (("exponential", {"rate": 1, "sd": 1}), "sd: is unknown"),
        (("gamma", {"mean": 3}), "gamma.shape: is missing"),
        (("normal", {"mean": float("nan"), "sd": 1}), "normal.mean: nan is out of range"),
        ("gamma", "is no distribution"),
        (("beta", {"a": 1, "b": 1}), "unknown distribution 'beta'"),
    ],
)
def test_a_wrong_distribution_is_named_with_its_field(given: object, says: str) -> None:
    with pytest.raises(InvalidPopulation, match="population 'Early', field") as refused:
        read_distribution("Early", "cancel_dist", given, waiting=True)
    assert says in str(refused.value)
