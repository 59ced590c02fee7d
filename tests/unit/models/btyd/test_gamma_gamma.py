"""Gamma-Gamma: gradient, shrinkage, units, and the spend it cannot be fitted to."""

from __future__ import annotations

import numpy as np
import pytest

from retentioncast.core.errors import FitFailed, NotEnoughData
from retentioncast.models import GammaGamma
from retentioncast.models.btyd.gamma_gamma import log_likelihood


@pytest.fixture(scope="module")
def truth() -> GammaGamma:
    model = GammaGamma()
    model.params_ = {"p": 6.0, "q": 4.0, "v": 15.0}
    return model


@pytest.mark.parametrize("parameters", [(6.25, 3.74, 15.4), (0.05, 0.2, 1000.0), (400.0, 2.0, 0.01)])
def test_the_gradient_is_that_of_finite_differences(parameters: tuple[float, ...]) -> None:
    x, m = np.array([1.0, 1.0, 3.0, 500.0]), np.array([0.01, 1e5, 30.0, 29.0])
    at, weights = np.array(parameters), np.array([1.0, 2.0, 3.0, 0.5])
    gradient = log_likelihood(at, x, m, weights)[1]
    for i, step in enumerate(np.diag(at * 1e-6)):
        up, down = (log_likelihood(at + s, x, m, weights)[0] for s in (step, -step))
        assert gradient[i] == pytest.approx((up - down) / (2 * step[i]), rel=1e-5, abs=1e-4)


def test_expected_spend_moves_from_the_shops_mean_to_the_customers_own(truth: GammaGamma) -> None:
    shop = 6.0 * 15.0 / 3.0
    spend = truth.expected_spend([0, 1, 5, 100_000], [0.0, 90.0, 90.0, 90.0])
    assert spend[0] == pytest.approx(shop) and spend[-1] == pytest.approx(90, rel=1e-4)
    assert np.all(np.diff(spend) > 0)


def test_expected_spend_is_the_mean_of_the_true_means(truth: GammaGamma) -> None:
    frame = truth.sample(200_000, 2, seed=3)
    low = frame[frame["monetary_value"].between(20, 21)]
    expected = truth.expected_spend(low["frequency"], low["monetary_value"]).mean()
    assert low["mean_spend"].mean() == pytest.approx(expected, abs=4 * low["mean_spend"].std() / len(low) ** 0.5)


def test_cents_instead_of_dollars_scale_v_and_nothing_else(truth: GammaGamma) -> None:
    frame = truth.sample(2000, 3, seed=3)
    dollars = GammaGamma().fit(frame["frequency"], frame["monetary_value"])
    cents = GammaGamma().fit(frame["frequency"], frame["monetary_value"] * 100)
    assert cents.params_["v"] == pytest.approx(100 * dollars.params_["v"], rel=1e-5)
    assert cents.params_["q"] == pytest.approx(dollars.params_["q"], rel=1e-5)
    assert cents.log_likelihood_ == pytest.approx(dollars.log_likelihood_ - 2000 * np.log(100), rel=1e-9)


def test_one_time_buyers_and_free_orders_say_nothing(truth: GammaGamma) -> None:
    frame = truth.sample(500, 3, seed=3)
    x, m = frame["frequency"].tolist(), frame["monetary_value"].tolist()
    assert GammaGamma().fit([*x, 0, 4], [*m, 0.0, 0.0]).params_ == GammaGamma().fit(x, m).params_


def test_constant_spend_is_not_fitted() -> None:
    with pytest.raises(NotEnoughData, match="spend the same"):
        GammaGamma().fit([3] * 50, [20.0] * 50)


def test_too_few_repeat_buyers_are_not_fitted() -> None:
    with pytest.raises(NotEnoughData, match="10 repeat buyers who paid; there are 3"):
        GammaGamma().fit([3, 2, 1, 0], [20.0, 30.0, 10.0, 0.0])


def test_negative_spend_is_named() -> None:
    with pytest.raises(ValueError, match=r"'monetary_value', row 1: -5.0 is negative"):
        GammaGamma().fit([3, 2], [20.0, -5.0])


def test_spend_without_a_finite_mean_is_refused(truth: GammaGamma) -> None:
    with pytest.raises(FitFailed, match="no finite mean"):
        truth.expected_spend(0, 0.0, parameters=np.array([6.0, 0.9, 15.0]))
