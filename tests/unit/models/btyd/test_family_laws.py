"""Laws of repeat buying: what rises, what falls, what adds up, and what happens to the customers of the twin."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from retentioncast.models.arrays import Floats
from retentioncast.models.btyd.repeat_buying import RepeatBuyingModel
from tests.unit.models.test_laws import discovered_models, truth_of

FAMILIES = [model for model in discovered_models() if issubclass(model, RepeatBuyingModel)]
#: Customers who all have the same recency, and more and more silence since then.
SILENCE = (np.full(30, 4.0), np.full(30, 12.0), np.arange(12.0, 72.0, 2.0))


@pytest.fixture(scope="module", params=FAMILIES, ids=lambda model: model.__name__)
def truth(request: pytest.FixtureRequest) -> Any:
    return truth_of(request.param)


def test_silence_lowers_the_chance_to_be_alive_and_to_buy(truth: Any) -> None:
    alive = truth.probability_alive(*SILENCE)
    assert np.all(np.diff(alive) < 0) and alive[-1] > 0 and alive[0] <= 1
    assert np.all(np.diff(truth.probability_no_purchase(8.0, *SILENCE)) > 0)
    assert np.all(np.diff(truth.expected_purchases(8.0, *SILENCE)) < 0)


def test_a_longer_horizon_has_less_silence_and_more_purchases(truth: Any) -> None:
    horizons = (0.0, 1.0, 3.0, 10.0, 100.0)
    silence = [float(truth.probability_no_purchase(t, 4, 12.0, 20.0)) for t in horizons]
    assert silence[0] == pytest.approx(1, abs=1e-14) and np.all(np.diff(silence) < 0)
    purchases = [float(truth.expected_purchases(t, 4, 12.0, 20.0)) for t in horizons]
    assert purchases[0] == 0 and np.all(np.diff(purchases) > 0)
    assert np.all(np.diff(truth.expected_purchases_new(np.array(horizons))) > 0)


def test_in_the_end_only_those_who_left_or_leave_first_are_silent(truth: Any) -> None:
    """P(no purchase ever) is at least P(gone): equal where leaving takes a purchase, more where it takes time."""
    gone = 1 - float(truth.probability_alive(4, 12.0, 20.0))
    ever = float(truth.probability_no_purchase(1e7, 4, 12.0, 20.0))
    assert ever >= gone - 1e-9
    assert ever == pytest.approx(float(truth.probability_no_purchase(1e8, 4, 12.0, 20.0)), abs=1e-6)
    if hasattr(truth, "first_chances"):
        assert ever == pytest.approx(gone, abs=1e-9)


def test_the_chances_of_each_count_add_up_to_one_with_the_expected_mean(truth: Any) -> None:
    n = np.arange(1200)
    pmf = truth.purchases_pmf(n, 20.0)
    assert np.all(pmf >= 0)
    assert pmf.sum() == pytest.approx(1, abs=1e-8)
    assert (pmf * n).sum() == pytest.approx(float(truth.expected_purchases_new(20.0)), rel=1e-6)


def test_nothing_was_bought_at_time_zero(truth: Any) -> None:
    np.testing.assert_allclose(truth.purchases_pmf(np.arange(4), 0.0), [1, 0, 0, 0], atol=1e-12)
    assert float(truth.expected_purchases_new(0.0)) == 0


def test_the_twin_buys_as_the_model_expects(truth: Any) -> None:
    seen = truth.sample(40_000, 20.0, seed=1)
    shares = [(seen["frequency"] == n).mean() for n in range(6)]
    np.testing.assert_allclose(shares, truth.purchases_pmf(np.arange(6), 20.0), atol=4 * np.sqrt(0.25 / 40_000))
    error = seen["frequency"].std() / np.sqrt(40_000)
    assert seen["frequency"].mean() == pytest.approx(float(truth.expected_purchases_new(20.0)), abs=4 * error)
    pd.testing.assert_frame_equal(seen.head(50), truth.sample(40_000, 20.0, seed=1).head(50))
    assert seen.attrs["time_unit"] == truth.time_unit


@pytest.mark.parametrize("what", ["alive", "silent", "bought"])
def test_in_every_bin_of_the_prediction_what_happens_to_the_twin_agrees(truth: Any, what: str) -> None:
    """Customers seen for 12, and what they do in the next 8: eight bins by prediction."""
    seen = truth.sample(60_000, 12.0, seed=8)
    columns = (seen["frequency"], seen["recency"], seen["T"])
    bought = _what_follows(seen, 8.0, seed=9)
    predict: dict[str, tuple[Callable[[], Floats], Floats]] = {
        "alive": (lambda: truth.probability_alive(*columns), seen["alive"].to_numpy(dtype=np.float64)),
        "silent": (lambda: truth.probability_no_purchase(8.0, *columns), (bought == 0).astype(np.float64)),
        "bought": (lambda: truth.expected_purchases(8.0, *columns), bought),
    }
    predicted, happened = predict[what][0](), predict[what][1]
    for rows in np.array_split(np.argsort(predicted, kind="stable"), 8):
        error = max(happened[rows].std(), 0.02) / np.sqrt(rows.size)
        assert happened[rows].mean() == pytest.approx(predicted[rows].mean(), abs=4.5 * error)


def test_drawn_futures_have_the_expected_purchases_and_silence(truth: Any) -> None:
    x, t_x, age = np.array([0.0, 2.0, 6.0]), np.array([0.0, 9.0, 11.0]), np.array([12.0, 12.0, 12.0])
    draws = np.tile(np.array(list(truth.params_.values())), (30_000, 1))
    orders, end = truth.sample_future(8.0, x, t_x, age, draws, np.random.default_rng(4))
    errors = orders.std(axis=0) / np.sqrt(30_000)
    assert np.all(np.abs(orders.mean(axis=0) - truth.expected_purchases(8.0, x, t_x, age)) < 4 * errors)
    silent = truth.probability_no_purchase(8.0, x, t_x, age)
    np.testing.assert_allclose((orders == 0).mean(axis=0), silent, atol=4 * np.sqrt(0.25 / 30_000))
    assert np.all((end > 0) & (end <= 1)) and np.all(end[orders == 0] == 1)


def _what_follows(seen: pd.DataFrame, t: float, seed: int) -> Floats:
    """What each customer buys in the next t, told plainly from what the twin knows of it."""
    rng = np.random.default_rng(seed)
    alive = seen["alive"].to_numpy()
    if "lifetime" in seen:
        active = np.clip(seen["lifetime"].to_numpy() - seen["T"].to_numpy(), 0, t)
        return np.asarray(rng.poisson(seen["rate"].to_numpy() * active), dtype=np.float64)
    lasts = rng.geometric(seen["dropout"].to_numpy())
    if "buying" in seen:  # opportunities: the customer may leave before each
        return np.where(alive, rng.binomial(np.minimum(lasts - 1, int(t)), seen["buying"].to_numpy()), 0).astype(float)
    return np.where(alive, np.minimum(rng.poisson(seen["rate"].to_numpy() * t), lasts), 0).astype(np.float64)
