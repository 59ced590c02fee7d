"""What a prediction is over draws: asked once for equal customers, some at a time, told of each in its own place."""

from __future__ import annotations

import numpy as np
import pytest

from retentioncast.models import BetaGeo
from retentioncast.models.arrays import Floats
from retentioncast.models.clv import over_draws as module
from retentioncast.models.clv.over_draws import over_draws

PARAMETERS = {"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426}


@pytest.fixture
def model() -> BetaGeo:
    fitted = BetaGeo()
    fitted.params_ = dict(PARAMETERS)
    return fitted


@pytest.fixture
def draws() -> Floats:
    spread = 0.1 * np.random.default_rng(1).standard_normal((41, 4))
    return np.array(list(PARAMETERS.values())) * np.exp(spread)


ROWS = (
    np.array([3.0, 0.0, 1.0, 3.0, 0.0, 1.0, 3.0]),
    np.array([9.0, 0.0, 4.0, 9.0, 0.0, 5.0, 2.0]),
    np.array([20.0, 20.0, 6.0, 20.0, 7.0, 20.0, 20.0]),
)


@pytest.mark.parametrize("cells", [1, 100, 10_000])
def test_it_is_what_each_customer_would_be_told_alone(
    model: BetaGeo, draws: Floats, cells: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_CELLS_AT_ONCE", cells)
    told = over_draws(lambda *asked: model.expected_purchases(13.0, *asked), ROWS, draws, 0.8)
    for i in range(ROWS[0].size):
        x, t_x, age = (column[i] for column in ROWS)
        alone = model.expected_purchases(13.0, x, t_x, age, draws)
        assert told.mean[i] == pytest.approx(alone.mean())
        assert (told.low[i], told.high[i]) == pytest.approx(tuple(np.quantile(alone, [0.1, 0.9])))


def test_several_predictions_are_told_at_once(model: BetaGeo, draws: Floats) -> None:
    def both(x: Floats, t_x: Floats, age: Floats, parameters: Floats) -> Floats:
        alive = model.probability_alive(x, t_x, age, parameters)
        return np.stack([alive, alive * model.expected_purchases_if_alive(13.0, x, age, parameters)])

    told = over_draws(both, ROWS, draws, 0.8)
    alone = over_draws(lambda *asked: model.expected_purchases(13.0, *asked), ROWS, draws, 0.8)
    np.testing.assert_allclose(told.high[1], alone.high, rtol=1e-12)
    assert told.mean.shape == (2, ROWS[0].size)


def test_nobody_is_told_nothing(model: BetaGeo, draws: Floats) -> None:
    nobody = (np.empty(0), np.empty(0), np.empty(0))
    assert over_draws(model.probability_alive, nobody, draws, 0.8).mean.shape == (0,)


def test_p_alive_of_draws_is_that_of_each_draw(model: BetaGeo, draws: Floats) -> None:
    together = model.probability_alive(*ROWS, draws)
    for k, draw in enumerate(draws):
        each = BetaGeo()
        each.params_ = dict(zip(PARAMETERS, draw.tolist(), strict=True))
        np.testing.assert_allclose(together[k], each.probability_alive(*ROWS), rtol=1e-12)
