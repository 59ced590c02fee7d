"""The integral over the time of leaving: against adaptive quadrature, against 2F1, its gradient and its limits."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import gammaln, hyp2f1

from retentioncast.models import GammaGompertzNBD, ParetoNBD
from retentioncast.models.arrays import Floats
from retentioncast.models.btyd.leaving_time import silence, time_alive
from retentioncast.models.btyd.lifetime_kernels import log_likelihood


def _case(seed: int) -> tuple[float, ...]:
    """k, alpha, s, beta, b, start, end: x to 400, ages from a hundredth of alpha to its hundredfold, b to 50 / T."""
    rng = np.random.default_rng(seed)
    alpha, beta, s, r = np.exp(rng.uniform([-5, -5, -4, -4], [4, 4, 3, 3]))
    x, end = np.floor(np.exp(rng.uniform(-1, 6))), np.exp(rng.uniform(-2, 2))
    start = end * rng.uniform(0, 1) if x else 0.0
    return r + x, alpha, s, beta, 0.0 if seed % 2 else float(np.exp(rng.uniform(-6, 4))), start, end


def _by_quadrature(k: float, alpha: float, s: float, beta: float, b: float, start: float, end: float) -> float:
    def grown(tau: float) -> float:
        return tau if b == 0 else float(np.expm1(b * tau) / b)

    def density(y: float) -> float:
        tau = np.exp(y) - least
        since = k * np.log((alpha + tau) / (alpha + start))
        since += (s + 1) * np.log((beta + grown(tau)) / (beta + grown(start)))
        return float(np.exp(b * tau - since + y) * s / (beta + grown(start)))

    least = min(alpha, beta)
    low, high = np.log(least + start), np.log(least + end)
    edges = low + (high - low) * np.array([0, 1e-4, 1e-3, 0.01, 0.03, 0.1, 0.25, 0.5, 0.75, 0.9, 1])
    return float(sum(quad(density, a, z, epsabs=0, epsrel=1e-11, limit=300)[0] for a, z in pairwise(edges)))


@pytest.mark.parametrize("seed", range(24))
def test_it_equals_adaptive_quadrature(seed: int) -> None:
    case = _case(seed)
    assert silence(*case)[1] == pytest.approx(_by_quadrature(*case), rel=1e-8)


@pytest.mark.parametrize("seed", range(24))
def test_its_derivatives_are_those_of_finite_differences(seed: int) -> None:
    case = np.array(_case(seed))
    found = silence(*case)
    for i in range(5 if case[4] > 0 else 4):
        step = np.zeros(7)
        step[i] = case[i] * 1e-5
        up, down = silence(*(case + step)), silence(*(case - step))
        difference = (sum(up[:2]) - sum(down[:2])) / (2 * step[i])
        assert found[2 + i] == pytest.approx(difference, rel=1e-5, abs=1e-8 * sum(found[:2]) / case[i])


@pytest.mark.parametrize(("x", "t_x", "age"), [(0, 0.0, 38.9), (2, 30.4, 38.9), (7, 29.4, 38.9), (1, 1.7, 27.0)])
@pytest.mark.parametrize(("alpha", "beta"), [(10.578, 11.669), (20.0, 4.0)])
def test_the_likelihood_is_that_of_the_papers_2f1(x: int, t_x: float, age: float, alpha: float, beta: float) -> None:
    """Fader & Hardie (2005), with A0 as a difference of two 2F1, for alpha on either side of beta."""
    r, s = 0.553, 0.606
    c, larger, order = r + s + x, max(alpha, beta), s + 1 if alpha >= beta else r + x

    def hypergeometric(t: float) -> float:
        value = hyp2f1(c, order, c + 1, abs(alpha - beta) / (larger + t))
        return float(value / (larger + t) ** c)

    a0 = hypergeometric(t_x) - hypergeometric(age)
    bracket = (alpha + age) ** -(r + x) * (beta + age) ** -s + s / c * a0
    paper = gammaln(r + x) - gammaln(r) + r * np.log(alpha) + s * np.log(beta) + np.log(bracket)
    ours, _ = log_likelihood(np.array([r, alpha, s, beta, 0.0]), *_row(x, t_x, age))
    assert ours == pytest.approx(paper, rel=1e-10)


@pytest.mark.parametrize(
    "mixture", [(0.6, 4.0, 0.8, 9.0, 0.0), (2.0, 4.0, 1.0, 130.0, 0.15), (0.1, 60.0, 9.0, 0.3, 1.0)]
)
def test_the_gradient_of_the_likelihood_is_that_of_finite_differences(mixture: tuple[float, ...]) -> None:
    x, t_x = np.array([0.0, 1.0, 1.0, 7.0, 300.0]), np.array([0.0, 0.5, 20.0, 20.0, 19.9])
    age, weights = np.array([40.0, 20.0, 20.0, 25.0, 40.0]), np.array([5.0, 1.0, 2.0, 1.0, 0.5])
    at = np.array(mixture, dtype=np.float64)
    gradient = log_likelihood(at, x, t_x, age, weights)[1]
    for i, step in enumerate(np.diag(at * 1e-5)[: 5 if at[4] > 0 else 4]):
        up, down = (log_likelihood(at + z, x, t_x, age, weights)[0] for z in (step, -step))
        assert gradient[i] == pytest.approx((up - down) / (2 * step[i]), rel=1e-5, abs=1e-5)


def test_as_b_vanishes_gamma_gompertz_becomes_pareto() -> None:
    pareto, gompertz = ParetoNBD(), GammaGompertzNBD()
    pareto.params_ = {"r": 0.55, "alpha": 10.6, "s": 0.6, "beta": 11.7}
    gompertz.params_ = {"r": 0.55, "alpha": 10.6, "b": 1e-7, "s": 0.6, "beta": 11.7e-7}
    columns = (np.array([0, 1, 4]), np.array([0.0, 3.0, 20.0]), np.array([30.0, 30.0, 39.0]))
    np.testing.assert_allclose(gompertz.probability_alive(*columns), pareto.probability_alive(*columns), rtol=1e-5)
    for t in (1.0, 39.0):
        both = [model.expected_purchases(t, *columns) for model in (gompertz, pareto)]
        np.testing.assert_allclose(both[0], both[1], rtol=1e-5)
        both = [model.purchases_pmf(np.arange(5), t) for model in (gompertz, pareto)]
        np.testing.assert_allclose(both[0], both[1], rtol=1e-5)


@pytest.mark.parametrize(
    "parameters", [(12.0, 12.0, 12.0, -12.0, -12.0), (-12.0, -12.0, 12.0, -12.0, -12.0), (0, -2, 12, 12, 12)]
)
def test_the_likelihood_is_finite_at_the_bounds_of_the_search(parameters: tuple[float, ...]) -> None:
    r, alpha, b, s, beta = np.exp(np.array(parameters, dtype=np.float64))
    value, gradient = log_likelihood(np.array([r, alpha, s, beta / b, b]), *_row(50, 0.3, 1.3))
    assert np.isfinite(value) and np.all(np.isfinite(gradient))


def test_time_alive_is_the_papers_for_pareto_also_at_s_equal_to_one() -> None:
    """(beta + T) / (s - 1) (1 - ((beta + T) / (beta + T + t))^(s - 1)) (eq. 41), and its limit."""
    s, beta, age, t = np.array([0.6, 1.0, 3.0]), np.full(3, 11.7), np.full(3, 39.0), 30.0
    (found,) = time_alive(s, beta, np.zeros(3), age, age + t)
    z = (11.7 + 39.0) / (11.7 + 39.0 + t)
    expected = [50.7 / (q - 1) * (1 - z ** (q - 1)) if q != 1 else -50.7 * np.log(z) for q in s]
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def _row(x: float, t_x: float, age: float) -> tuple[Floats, Floats, Floats, Floats]:
    return np.array([float(x)]), np.array([t_x]), np.array([age]), np.ones(1)
