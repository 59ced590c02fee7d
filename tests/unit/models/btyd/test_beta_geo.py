"""BG/NBD: its gradient, its closed forms against simulation, its limits, and what it refuses."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from retentioncast.core.errors import FitFailed, NotEnoughData
from retentioncast.models import BetaGeo
from retentioncast.models.btyd.dropout_kernels import log_likelihood
from retentioncast.models.btyd.dropout_likelihood import log_likelihood_of_shared, share_parts

TRUTH = {"r": 0.9, "alpha": 3.0, "a": 0.8, "b": 1.9}


@pytest.fixture(scope="module")
def truth() -> BetaGeo:
    model = BetaGeo()
    model.params_ = dict(TRUTH)
    return model


@pytest.mark.parametrize("parameters", [(0.9, 3.0, 0.8, 1.9), (0.01, 50.0, 5.0, 0.02), (30.0, 0.1, 0.03, 40.0)])
@pytest.mark.parametrize("first", [0.0, 1.0])  # BG, MBG
def test_the_gradient_is_that_of_finite_differences(parameters: tuple[float, ...], first: float) -> None:
    x = np.array([0.0, 0.0, 1.0, 1.0, 7.0, 300.0])
    t_x = np.array([0.0, 0.0, 0.5, 20.0, 20.0, 19.9])
    age, weights = np.array([1.0, 40.0, 20.0, 20.0, 25.0, 40.0]), np.array([5.0, 3.0, 1.0, 2.0, 1.0, 0.5])
    at = np.array(parameters)
    gradient = log_likelihood(at, x, t_x, age, weights, first)[1]
    for i, step in enumerate(np.diag(at * 1e-6)):
        up, down = (log_likelihood(at + s, x, t_x, age, weights, first)[0] for s in (step, -step))
        assert gradient[i] == pytest.approx((up - down) / (2 * step[i]), rel=1e-5, abs=1e-5)


@pytest.mark.parametrize("first", [0.0, 1.0])
def test_what_is_taken_once_for_all_adds_up_to_the_same(first: float) -> None:
    rng = np.random.default_rng(3)
    x = np.sort(rng.poisson(2.0, 300)).astype(np.float64)
    age = rng.integers(30, 40, 300).astype(np.float64)
    t_x, weights = np.where(x > 0, np.floor(age * rng.random(300)), 0.0), rng.random(300)
    for at in (np.array([0.9, 3.0, 0.8, 1.9]), np.array([30.0, 0.1, 0.03, 40.0])):
        value, gradient = log_likelihood_of_shared(at, share_parts(x, t_x, age, weights), first)
        plain, slope = log_likelihood(at, x, t_x, age, weights, first)
        assert value == pytest.approx(plain, rel=1e-12)
        np.testing.assert_allclose(gradient, slope, rtol=1e-11, atol=1e-9)


def test_the_likelihood_stays_finite_where_its_terms_overflow() -> None:
    """(alpha + T)^(r + x) has 10,000 digits here."""
    x, t_x, age = np.array([5000.0]), np.array([1.0]), np.array([100.0])
    value, gradient = log_likelihood(np.array([1.0, 0.1, 1.0, 1.0]), x, t_x, age, np.ones(1), 0.0)
    assert np.isfinite(value) and np.all(np.isfinite(gradient))


@pytest.mark.parametrize("x", [0, 1, 4])
def test_no_purchase_alive_and_purchases_agree_with_simulated_futures(truth: BetaGeo, x: int) -> None:
    """Customers simulated from the start who happen to show x purchases (the last about week 10 to 14) by week 20."""
    seen, happened = _simulated(truth, t=8.0)
    like = seen["frequency"] == x
    if x:
        like &= seen["recency"].between(10, 14)
    seen, happened = seen[like], happened[like.to_numpy()]
    columns = (seen["frequency"], seen["recency"], seen["T"])
    n = len(seen)
    assert n > 2000
    silent = truth.probability_no_purchase(8.0, *columns).mean()
    assert (happened == 0).mean() == pytest.approx(silent, abs=4 * np.sqrt(silent * (1 - silent) / n))
    expected = truth.expected_purchases(8.0, *columns).mean()
    assert happened.mean() == pytest.approx(expected, abs=4 * happened.std() / np.sqrt(n))
    alive = truth.probability_alive(*columns).mean()
    assert seen["alive"].mean() == pytest.approx(alive, abs=4 * np.sqrt(max(alive * (1 - alive), 1e-9) / n) + 1e-12)


def _simulated(truth: BetaGeo, t: float) -> tuple[pd.DataFrame, np.ndarray]:
    """Customers at week 20 and, written down plainly from the model's story, what they buy in the next t weeks."""
    seen = truth.sample(400_000, 20.0, seed=8)
    rng = np.random.default_rng(9)
    wanted = rng.poisson(seen["rate"].to_numpy() * t)
    lasts = rng.geometric(seen["dropout"].to_numpy())
    return seen, np.where(seen["alive"].to_numpy(), np.minimum(wanted, lasts), 0)


def test_the_sampled_histories_have_the_models_own_distribution(truth: BetaGeo) -> None:
    """One purchase at a time, as the paper tells it, against the quick sampler: counts and recencies agree."""
    quick, slow = truth.sample(20_000, 15.0, seed=1), _told_slowly(20_000, 15.0, seed=2)
    for name in ("frequency", "recency"):
        error = np.sqrt((quick[name].var() + slow[name].var()) / 20_000)
        assert abs(quick[name].mean() - slow[name].mean()) < 4 * error
    pmf = truth.purchases_pmf(np.arange(6), 15.0)
    shares = [(quick["frequency"] == n).mean() for n in range(6)]
    np.testing.assert_allclose(shares, pmf, atol=4 * np.sqrt(0.25 / 20_000))


def _told_slowly(n: int, T: float, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    rows = []
    for _ in range(n):
        rate, dropout = rng.gamma(TRUTH["r"], 1 / TRUTH["alpha"]), rng.beta(TRUTH["a"], TRUTH["b"])
        x, latest, at = 0, 0.0, rng.exponential(1 / rate) if rate > 1e-12 else np.inf
        while at <= T:
            x, latest = x + 1, at
            at = np.inf if rng.random() < dropout else at + rng.exponential(1 / rate)
        rows.append((x, latest))
    return pd.DataFrame(rows, columns=["frequency", "recency"])


def test_the_pmf_sums_to_one_and_has_the_expected_mean(truth: BetaGeo) -> None:
    n = np.arange(3000)
    pmf = truth.purchases_pmf(n, 20.0)
    assert pmf.sum() == pytest.approx(1, abs=1e-9)
    assert (pmf * n).sum() == pytest.approx(float(truth.expected_purchases_new(20.0)), rel=1e-6)


def test_one_time_buyers_are_alive_and_silence_lowers_that_of_others(truth: BetaGeo) -> None:
    ages = np.linspace(10, 200, 30)
    assert np.all(truth.probability_alive(0, 0.0, ages) == 1)
    assert np.all(np.diff(truth.probability_alive(3, 10.0, ages)) < 0)


def test_a_longer_horizon_has_less_silence_and_more_purchases(truth: BetaGeo) -> None:
    silence = [float(truth.probability_no_purchase(t, 3, 10.0, 12.0)) for t in (0.0, 1.0, 10.0, 1e6)]
    assert silence[0] == 1 and np.all(np.diff(silence) < 0)
    assert silence[-1] == pytest.approx(1 - float(truth.probability_alive(3, 10.0, 12.0)), abs=1e-9)
    purchases = [float(truth.expected_purchases(t, 3, 10.0, 12.0)) for t in (0.0, 1e-9, 1.0, 10.0)]
    assert purchases[0] == 0 and np.all(np.diff(purchases) > 0)


def test_columns_may_be_a_frame_or_arrays(truth: BetaGeo) -> None:
    frame = truth.sample(500, 20.0, seed=4)
    assert BetaGeo().fit(frame).params_ == BetaGeo().fit(frame["frequency"], frame["recency"], frame["T"]).params_


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: f.assign(recency=f["recency"].mask(f.index == "c7", np.nan)), "'recency', row 'c7': nan is not a f"),
        (lambda f: f.assign(T=f["T"].mask(f.index == "c7", 1.0)), "'T', row 'c7': 1.0 is before the latest purchase"),
        (lambda f: f.assign(recency=f["recency"].mask(f.index == "c7", 0.0)), "'recency', row 'c7': 0.0 is 0 although"),
        (lambda f: f.assign(frequency=f["frequency"].mask(f.index == "c7", -1)), "'frequency', row 'c7': -1.0 is neg"),
        (lambda f: f.assign(frequency=f["frequency"].mask(f.index == "c7", 1.5)), "'frequency', row 'c7': 1.5 is not"),
        (lambda f: f.assign(frequency=f["frequency"].mask(f.index == "c7", 0)), "'recency', row 'c7': 9.0 is above 0"),
        (lambda f: f.assign(T=f["T"].astype(object).mask(f.index == "c7", "old")), "'T', row 'c7': 'old' is not a num"),
        (lambda f: f.drop(columns="T"), "column 'T', row None: None is missing"),
    ],
)
def test_a_bad_value_is_named_by_column_row_and_value(
    change: Callable[[pd.DataFrame], pd.DataFrame], message: str
) -> None:
    good = pd.DataFrame({"frequency": 2.0, "recency": 9.0, "T": 20.0}, index=[f"c{i}" for i in range(20)])
    with pytest.raises(ValueError) as caught:
        BetaGeo().fit(change(good))
    assert message in str(caught.value)


def test_columns_of_different_length_and_bad_weights_are_refused() -> None:
    with pytest.raises(ValueError):
        BetaGeo().fit([1, 2], [1.0, 2.0, 3.0], [5.0, 5.0, 5.0])
    with pytest.raises(ValueError, match=r"'weights', row 1: -1.0 is negative"):
        BetaGeo().fit([1, 2], [1.0, 2.0], [5.0, 5.0], weights=[1, -1])


@pytest.mark.parametrize("n", [0, 1, 9])
def test_too_few_customers_are_not_fitted(n: int) -> None:
    with pytest.raises(NotEnoughData, match=f"needs 10 customers and 5 repeat buyers; there are {n}"):
        BetaGeo().fit([2] * n, [3.0] * n, [9.0] * n)


def test_a_shop_of_one_time_buyers_is_not_fitted() -> None:
    with pytest.raises(NotEnoughData, match="there are 1000 and 0"):
        BetaGeo().fit([0] * 1000, [0.0] * 1000, [9.0] * 1000)


def test_customers_who_are_all_alike_do_not_determine_the_model() -> None:
    with pytest.raises(FitFailed):
        BetaGeo().fit([2] * 1000, [5.0] * 1000, [9.0] * 1000)


def test_an_outlier_of_a_thousand_orders_leaves_a_fit_and_one_of_1e12_is_refused(truth: BetaGeo) -> None:
    frame = truth.sample(2000, 20.0, seed=4)[["frequency", "recency", "T"]].astype(float)
    frame.loc[0] = [1000, 19.9, 20.0]
    assert all(0.1 < value < 10 for value in BetaGeo().fit(frame).params_.values())
    frame.loc[0] = [1e12, 19.9, 20.0]
    with pytest.raises(ValueError, match="more than any customer buys"):
        BetaGeo().fit(frame)
