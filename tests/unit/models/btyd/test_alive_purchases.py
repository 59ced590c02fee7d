"""The integral behind expected purchases, against adaptive quadrature over a wide range and against 2F1."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import gammaln, hyp2f1

from retentioncast.models.btyd.alive_purchases import _shortfall, purchases_while_alive
from retentioncast.models.btyd.compiled import digamma


def _by_quadrature(s: float, a: float, beta: float, z: float) -> float:
    log_beta = gammaln(a) + gammaln(beta) - gammaln(a + beta)

    def integrand(y: float) -> float:
        log_p, log_q = -np.logaddexp(0, -y), -np.logaddexp(0, y)
        p = np.exp(log_p)
        made = -np.expm1(-s * np.log1p(p * z)) / p if p > 1e-290 else s * z
        return float(np.exp(a * log_p + beta * log_q - log_beta) * made)

    edges = np.sort(np.log(a / beta) + np.array([-60 / a - 20, -5 / a - 1, -1, 0, 1, 5 / beta + 1, 60 / beta + 20]))
    pieces = [quad(integrand, low, high, epsabs=0, epsrel=1e-11, limit=400)[0] for low, high in pairwise(edges)]
    return float(sum(pieces))


@pytest.mark.parametrize("seed", range(40))
def test_it_equals_adaptive_quadrature(seed: int) -> None:
    """From x = 0 to a thousand, horizons from a thousandth to 20 times the age, a from 0.05 to 20."""
    r, a, b, z = np.exp(np.random.default_rng(seed).uniform([-3, -3, -3, -7], [2, 3, 3, 3]))
    x = np.floor(np.exp(np.random.default_rng(seed).uniform(0, 7))) - 1
    reached = float(purchases_while_alive(r + x, a, b + x, z))
    assert reached == pytest.approx(_by_quadrature(r + x, a, b + x, z), rel=1e-8)


@pytest.mark.parametrize("x", [0, 1, 10, 200])
@pytest.mark.parametrize("z", [0.5, 3.0, 18.0])
def test_it_equals_the_papers_form_where_that_holds(x: float, z: float) -> None:
    s, a, beta = 0.243 + x, 0.793, 2.426 + x
    c = a + beta - 1
    paper = c / (a - 1) * (1 - (1 + z) ** -s * hyp2f1(s, beta, c, z / (1 + z)))
    assert float(purchases_while_alive(s, a, beta, z)) == pytest.approx(paper, rel=1e-9)


def test_the_sum_and_the_integral_are_the_same_number_whoever_stands_beside_it() -> None:
    """Columns in which neighbours share their factors, take the sum or the integral, and change in between."""
    x = np.repeat([0.0, 1.0, 1.0, 30.0, 400.0], 4)
    z = np.tile([1e-9, 0.2, 3.0, 40.0], 5)
    together = purchases_while_alive(0.3 + x, 0.9, 2.0 + x, z)
    for i in range(x.size):
        s = 0.3 + x[i]
        integral = s * z[i] - _shortfall(s, 0.9, 2.0 + x[i], z[i])
        assert together[i] == pytest.approx(integral, rel=1e-10)
        assert together[i] == purchases_while_alive(s, 0.9, 2.0 + x[i], z[i])


def test_it_passes_smoothly_through_a_equal_to_one() -> None:
    a = np.array([1 - 1e-6, 1.0, 1 + 1e-6])
    low, middle, high = purchases_while_alive(2.2, a, 4.4, 0.3)
    assert middle == pytest.approx((low + high) / 2, rel=1e-10) and low > middle > high


def test_short_horizons_keep_their_digits() -> None:
    """For z -> 0 purchases are s z: the paper's form has none of its digits left at 1e-14."""
    assert float(purchases_while_alive(3.0, 0.8, 5.0, 1e-14)) == pytest.approx(3e-14, rel=1e-10)


@pytest.mark.parametrize(
    ("x", "value"), [(1.0, -0.5772156649015329), (0.5, -1.9635100260214235), (100.0, 4.600161852738087)]
)
def test_digamma_has_its_known_values(x: float, value: float) -> None:
    assert digamma(x) == pytest.approx(value, rel=1e-13)
