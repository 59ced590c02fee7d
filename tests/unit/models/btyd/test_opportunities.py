"""BG/BB's sums: against the paper's, term by term, its gradient, and its counts."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import betaln, comb, logsumexp

from retentioncast.models import BetaGeometricBetaBinomial
from retentioncast.models.arrays import Floats
from retentioncast.models.btyd.opportunities import log_likelihood, times_alive

DONORS = {"alpha": 1.204, "beta": 0.750, "gamma": 0.657, "delta": 2.783}


def _paper(at: Floats, x: int, t_x: int, n: int) -> float:
    """Eq. 5, every Beta function on its own."""
    alpha, beta, gamma, delta = at
    terms = [betaln(alpha + x, beta + n - x) + betaln(gamma, delta + n)]
    terms += [betaln(alpha + x, beta + t_x - x + i) + betaln(gamma + 1, delta + t_x + i) for i in range(n - t_x)]
    return float(logsumexp(terms) - betaln(alpha, beta) - betaln(gamma, delta))


@pytest.mark.parametrize(("x", "t_x", "n"), [(0, 0, 1), (1, 1, 6), (6, 6, 6), (3, 10, 400), (300, 900, 1000)])
@pytest.mark.parametrize("at", [tuple(DONORS.values()), (0.01, 40.0, 30.0, 0.02), (50.0, 0.05, 0.03, 80.0)])
def test_the_likelihood_is_the_papers(at: tuple[float, ...], x: int, t_x: int, n: int) -> None:
    parameters, columns = np.array(at), [np.array([float(value)]) for value in (x, t_x, n)]
    ours = log_likelihood(parameters, columns[0], columns[1], columns[2], np.ones(1))[0]
    assert ours == pytest.approx(_paper(parameters, x, t_x, n), rel=1e-10)


@pytest.mark.parametrize("at", [tuple(DONORS.values()), (0.01, 40.0, 30.0, 0.02), (50.0, 0.05, 0.03, 80.0)])
def test_the_gradient_is_that_of_finite_differences(at: tuple[float, ...]) -> None:
    x, t_x = np.array([0.0, 0.0, 1.0, 6.0, 30.0]), np.array([0.0, 0.0, 3.0, 6.0, 90.0])
    n, weights = np.array([1.0, 6.0, 6.0, 6.0, 100.0]), np.array([5.0, 3.0, 2.0, 1.0, 0.5])
    parameters = np.array(at)
    gradient = log_likelihood(parameters, x, t_x, n, weights)[1]
    for i, step in enumerate(np.diag(parameters * 1e-6)):
        up, down = (log_likelihood(parameters + z, x, t_x, n, weights)[0] for z in (step, -step))
        assert gradient[i] == pytest.approx((up - down) / (2 * step[i]), rel=1e-5, abs=1e-5)


def test_expected_purchases_are_those_of_the_papers_closed_form() -> None:
    """Eq. 9, its ratio of Gamma functions multiplied out."""
    gamma, delta, n = 0.657, 2.783, 6.0
    rest = np.prod([(1 + delta + i) / (gamma + delta + i) for i in range(int(n))])
    model = BetaGeometricBetaBinomial()
    model.params_ = dict(DONORS)
    expected = 1.204 / (1.204 + 0.750) * delta / (gamma - 1) * (1 - rest)
    assert float(model.expected_purchases_new(n)) == pytest.approx(expected, rel=1e-12)


def test_the_chances_of_each_count_are_the_likelihoods_of_all_histories_with_it() -> None:
    model = BetaGeometricBetaBinomial()
    model.params_ = dict(DONORS)
    at, n = np.array(list(DONORS.values())), 6
    for x in range(n + 1):
        histories = {t_x: comb(t_x - 1, x - 1) for t_x in range(x, n + 1)} if x else {0: 1.0}
        total = sum(ways * np.exp(_paper(at, x, t_x, n)) for t_x, ways in histories.items())
        assert float(model.purchases_pmf(x, n)) == pytest.approx(total, rel=1e-12)


def test_times_alive_are_bounded_by_the_opportunities_there_are() -> None:
    (times,) = times_alive(np.array([1e-9, 0.5, 5.0]), np.ones(3), np.full(3, 50.0))
    assert times[0] == pytest.approx(50, rel=1e-6) and 0 < times[2] < times[1] < 50


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (([1], [1.5], [6]), "'recency', row 0: 1.5 is not a whole number of opportunities"),
        (([1], [1], [6.2]), "'T', row 0: 6.2 is not a whole number of opportunities"),
        (([3], [2], [6]), "'frequency', row 0: 3.0 is more purchases than opportunities up to the latest"),
    ],
)
def test_what_cannot_be_opportunities_is_refused(columns: tuple[list[float], ...], message: str) -> None:
    with pytest.raises(ValueError) as caught:
        BetaGeometricBetaBinomial().fit(*columns)
    assert message in str(caught.value)
