"""sBG: the published numbers, its gradient, its sums against its series, its limits, and what it refuses."""

from __future__ import annotations

from fractions import Fraction
from math import lgamma

import numpy as np
import pandas as pd
import pytest

from retentioncast.core.errors import FitFailed, NotEnoughData
from retentioncast.models import ShiftedBetaGeometric
from retentioncast.models.subscription.gamma_ratio import log_gamma_ratio
from retentioncast.models.subscription.shifted_beta_geometric import log_likelihood

#: Fader & Hardie 2007, table 1: percent of 1,000 customers who survived years 0 to 12. The model sees years 0 to 7.
HIGH_END = [100, 86.9, 74.3, 65.3, 59.3, 55.1, 51.7, 49.1, 46.8, 44.5, 42.7, 40.9, 39.4]
REGULAR = [100, 63.1, 46.8, 38.2, 32.6, 28.9, 26.2, 24.1, 22.3, 20.7, 19.4, 18.3, 17.3]


def fitted_to(percent: list[float]) -> ShiftedBetaGeometric:
    return ShiftedBetaGeometric().fit_cohorts([[10 * share for share in percent[:8]]])


def model_of(alpha: float, beta: float) -> ShiftedBetaGeometric:
    model = ShiftedBetaGeometric()
    model.params_ = {"alpha": alpha, "beta": beta}
    return model


@pytest.mark.parametrize(
    ("percent", "published"), [(HIGH_END, (0.668, 3.806)), (REGULAR, (0.704, 1.182))], ids=["high end", "regular"]
)
def test_the_parameters_are_the_published_ones(percent: list[float], published: tuple[float, float]) -> None:
    model = fitted_to(percent)
    assert tuple(round(value, 3) for value in model.params_.values()) == published
    assert model.n_customers_ == 1000 and model.n_groups_ == 8


def test_survival_of_the_high_end_is_forecast_as_an_independent_program_prints_it() -> None:
    """jdmaturen/shifted_beta_geometric_py, README: years 8 to 12, and 7.530 as the residual lifetime at 10 %."""
    model = fitted_to(HIGH_END)
    assert model.survival(np.arange(8, 13)).round(3).tolist() == [0.46, 0.436, 0.414, 0.395, 0.378]
    assert round(float(model.residual_lifetime(7, 0.10)), 3) == 7.530


@pytest.mark.parametrize(("percent", "points"), [(HIGH_END, 1.9), (REGULAR, 0.7)], ids=["high end", "regular"])
def test_the_published_years_are_fitted_and_the_five_unseen_ones_forecast(percent: list[float], points: float) -> None:
    """Percent of customers, years 0 to 12; the paper's figures show the same small gaps."""
    gaps = 100 * fitted_to(percent).survival(np.arange(13)) - np.array(percent)
    assert np.abs(gaps).max() < points and np.abs(gaps[8:]).max() < points


def test_the_cohort_of_the_valuation_paper_gives_the_parameters_of_an_independent_program() -> None:
    """10,000 customers of Fader & Hardie 2010; Delminho/ltv_models-sbg_bdw prints 3.7907, 15.1608 and the curve."""
    model = ShiftedBetaGeometric().fit_cohorts([[10_000, 8000, 6480, 5307, 4391]])
    assert model.params_ == pytest.approx({"alpha": 3.790687, "beta": 15.160840}, rel=1e-5)
    assert model.survival(np.arange(5)) == pytest.approx([1, 0.7999799, 0.6479878, 0.5307496, 0.4390974], abs=1e-6)


def test_a_table_of_cohorts_is_the_same_as_its_customers_one_by_one() -> None:
    table = pd.DataFrame([[50, 30, 21, 17], [40, 26, 20, np.nan], [60, 35, np.nan, np.nan]], index=["a", "b", "c"])
    periods = np.repeat([0, 1, 2, 3, 0, 1, 2, 0, 1], [20, 9, 4, 17, 14, 6, 20, 25, 35])
    lost = np.repeat([1, 1, 1, 0, 1, 1, 0, 1, 0], [20, 9, 4, 17, 14, 6, 20, 25, 35])
    single = ShiftedBetaGeometric().fit(periods, lost)
    cohorts = ShiftedBetaGeometric().fit_cohorts(table)
    assert cohorts.params_ == pytest.approx(single.params_, rel=1e-9)
    assert cohorts.log_likelihood_ == pytest.approx(single.log_likelihood_, rel=1e-12)
    assert cohorts.n_customers_ == single.n_customers_ == 150
    frame = pd.DataFrame({"periods": periods, "lost": lost})
    assert ShiftedBetaGeometric().fit(frame).params_ == single.params_


@pytest.mark.parametrize("parameters", [(0.7, 3.8), (0.01, 0.02), (5000.0, 80_000.0), (40.0, 0.05)])
def test_the_gradient_is_that_of_finite_differences(parameters: tuple[float, float]) -> None:
    periods, lost = np.array([0.0, 0.0, 1.0, 7.0, 7.0, 5000.0]), np.array([0.0, 1.0, 1.0, 0.0, 1.0, 0.0])
    at, weights = np.array(parameters), np.array([2.0, 1.0, 3.0, 0.5, 1.0, 1.0])
    gradient = log_likelihood(at, periods, lost, weights)[1]
    for i, step in enumerate(np.diag(at * 1e-5)):
        up, down = (log_likelihood(at + s, periods, lost, weights)[0] for s in (step, -step))
        assert gradient[i] == pytest.approx((up - down) / (2 * step[i]), rel=1e-5, abs=1e-7)


@pytest.mark.parametrize(("x", "n"), [(Fraction(1, 2), 7), (Fraction(3), 40), (Fraction(100_001, 7), 25)])
def test_the_ratio_of_gammas_is_the_product_that_it_stands_for(x: Fraction, n: int) -> None:
    product = Fraction(1)
    for k in range(n):
        product *= x + k
    exact = float(np.log(float(product.numerator)) - np.log(float(product.denominator)))
    assert log_gamma_ratio(float(x), float(n)) == pytest.approx(exact, rel=1e-14)


def test_the_ratio_of_gammas_keeps_digits_where_the_gammas_have_none_left() -> None:
    """Gamma'(x) / Gamma(x) is log x here; the difference of two lgamma of 2.7e13 has no digit of it."""
    assert log_gamma_ratio(1e12, 0.5) == pytest.approx(0.5 * np.log(1e12), rel=1e-12)
    assert abs(lgamma(1e12 + 0.5) - lgamma(1e12) - 0.5 * np.log(1e12)) > 1e-4


def test_survival_is_the_product_of_the_retention_rates() -> None:
    model = model_of(0.668, 3.806)
    t = np.arange(1, 60)
    np.testing.assert_allclose(np.cumprod(model.retention_rate(t)), model.survival(t), rtol=1e-13)
    np.testing.assert_allclose(model.retention_rate(t) + model.hazard(t), 1, rtol=1e-14)
    assert model.survival(0) == 1 and np.all(np.diff(model.retention_rate(t)) > 0)


def test_who_has_stayed_long_stays_on() -> None:
    model = model_of(0.668, 3.806)
    ahead = model.probability_active(5, np.arange(20))
    np.testing.assert_allclose(ahead, model.survival(np.arange(20) + 5) / model.survival(np.arange(20)), rtol=1e-13)
    assert np.all(np.diff(ahead) > 0)


@pytest.mark.parametrize("rate", [0.0, 1e-9, 0.004, 0.1, 3.0])
def test_lifetimes_are_the_sums_that_they_stand_for(rate: float) -> None:
    model, t = model_of(4.5, 2.5), np.arange(20_000)
    discounted = model.survival(t) * (1 + rate) ** -t.astype(float)
    assert model.expected_lifetime(rate) == pytest.approx(discounted.sum(), rel=1e-9)
    assert model.expected_lifetime(rate, horizon=20_000) == pytest.approx(discounted.sum(), rel=1e-12)
    ahead = model.probability_active(t + 1, 3) * (1 + rate) ** -t.astype(float)
    assert model.residual_lifetime(3, rate) == pytest.approx(ahead.sum(), rel=1e-9)


def test_a_lifetime_without_a_finite_mean_is_infinite_and_a_rate_makes_it_finite() -> None:
    model = model_of(0.668, 3.806)
    assert model.expected_lifetime() == np.inf and model.residual_lifetime(4) == np.inf
    assert 5 < model.expected_lifetime(0.1) < 7
    assert model.expected_lifetime(0.1, horizon=10) < model.expected_lifetime(0.1)


def test_a_discount_rate_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match=r"discount rate of -0.1"):
        model_of(1, 2).residual_lifetime(1, -0.1)


def test_lifetimes_for_draws_are_those_of_each_draw() -> None:
    draws = np.array([[0.7, 3.8], [2.0, 5.0]])
    model = model_of(2.0, 5.0)
    assert model.expected_lifetime(0.1, parameters=draws).shape == (2,)
    assert model.expected_lifetime(0.1, parameters=draws)[1] == model.expected_lifetime(0.1)
    np.testing.assert_allclose(model.residual_lifetime([0, 3], 0.1, draws)[1], model.residual_lifetime([0, 3], 0.1))


def test_sampled_contracts_have_the_models_own_distribution() -> None:
    model = model_of(0.9, 2.0)
    sampled = model.sample(100_000, 6, seed=3)
    for t in range(7):
        share, error = float(model.survival(t)), np.sqrt(0.25 / 100_000)
        assert (sampled["lifetime"] > t).mean() == pytest.approx(share, abs=4 * error)
    assert sampled["periods"].max() == 6 and (sampled["lost"] == (sampled["lifetime"] <= 6)).all()
    assert (sampled.loc[sampled["lost"] == 1, "periods"] == sampled.loc[sampled["lost"] == 1, "lifetime"] - 1).all()


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("periods", -1, "'periods', row 'c7': -1.0 is negative"),
        ("periods", 1.5, "'periods', row 'c7': 1.5 is not a whole number"),
        ("periods", np.inf, "'periods', row 'c7': inf is not a finite number"),
        ("lost", 2, "'lost', row 'c7': 2.0 is neither 0 nor 1"),
        ("lost", np.nan, "'lost', row 'c7': nan is not a finite number"),
        ("lost", "no", "'lost', row 'c7': 'no' is not a number"),
    ],
)
def test_a_bad_value_is_named_by_column_row_and_value(column: str, value: object, message: str) -> None:
    good = pd.DataFrame({"periods": [2] * 20, "lost": [1] * 20}, index=[f"c{i}" for i in range(20)], dtype=object)
    with pytest.raises(ValueError) as caught:
        ShiftedBetaGeometric().fit(good.assign(**{column: good[column].mask(good.index == "c7", value)}))
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ([100, 80, 90], "'2', row 'may': 90 is more than there were a period before"),
        ([100, np.nan, 70], "'2', row 'may': 70 stands behind a period that is missing"),
        ([np.nan, 80, 70], "'0', row 'may': nan is missing: the first column is the cohort's size"),
        ([100, -3, np.nan], "'1', row 'may': -3 is negative"),
        ([100, np.inf, 5], "'1', row 'may': inf is not a finite number"),
    ],
)
def test_a_bad_cell_of_a_table_is_named_by_period_and_cohort(row: list[float], message: str) -> None:
    with pytest.raises(ValueError) as caught:
        ShiftedBetaGeometric().fit_cohorts(pd.DataFrame([[50, 30, 20], row], index=["april", "may"]))
    assert message in str(caught.value)


@pytest.mark.parametrize("n", [0, 1, 9])
def test_too_few_customers_are_not_fitted(n: int) -> None:
    with pytest.raises(NotEnoughData, match=f"sBG needs 10 customers and one that was lost; there are {n}"):
        ShiftedBetaGeometric().fit([2] * n, [1] * n)


def test_without_a_loss_or_a_second_renewal_nothing_is_fitted() -> None:
    with pytest.raises(NotEnoughData, match="there are 50 and 0"):
        ShiftedBetaGeometric().fit([3] * 50, [0] * 50)
    with pytest.raises(NotEnoughData, match="no customer has faced a second renewal"):
        ShiftedBetaGeometric().fit([0] * 30 + [1] * 20, [1] * 30 + [0] * 20)


def test_customers_who_are_all_alike_or_all_gone_do_not_determine_the_model() -> None:
    with pytest.raises(FitFailed):
        ShiftedBetaGeometric().fit_cohorts([[1000, 500, 250, 125, 62]])
    with pytest.raises(FitFailed):
        ShiftedBetaGeometric().fit([1] * 1000, [1] * 1000)


def test_an_outlier_of_1e12_renewals_is_named_and_an_enormous_cohort_leaves_a_fit() -> None:
    frame = model_of(0.9, 2.0).sample(2000, 12, seed=4)[["periods", "lost"]]
    frame.loc[0] = [1e12, 0.0]
    with pytest.raises(ValueError, match=r"'periods', row 0: 1000000000000.0 is more renewals than any contract has"):
        ShiftedBetaGeometric().fit(frame)
    table = pd.DataFrame([[2e12, 1.2e12, 0.9e12], [50, 30, 20]])
    assert all(np.isfinite(value) for value in ShiftedBetaGeometric().fit_cohorts(table).params_.values())
