"""A refit begins where the last one ended, and says how it came to its answer."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from retentioncast.models import BetaGeo
from retentioncast.models.uncertainty.fitting import CannotFit


def _shop(n: int, seed: int, **changed: float) -> pd.DataFrame:
    model = BetaGeo()
    model.params_ = {"r": 0.6, "alpha": 4.0, "a": 0.8, "b": 2.5} | changed
    return model.sample(n, np.random.default_rng(seed).integers(10, 60, n), seed)


@pytest.fixture(scope="module")
def last() -> BetaGeo:
    return BetaGeo().fit(_shop(1500, 1), method="laplace", seed=1)


@pytest.fixture(scope="module")
def grown() -> pd.DataFrame:
    """The same shop with two percent more customers."""
    return pd.concat([_shop(1500, 1), _shop(30, 2)])


def test_the_last_posterior_is_reweighted_while_that_holds(last: BetaGeo, grown: pd.DataFrame) -> None:
    warm = BetaGeo().fit(grown, method="laplace", start=last)
    assert warm.posterior_ is not None and warm.posterior_.source == "reweighted"
    assert any("weighted by the new data" in note for note in warm.notes_)
    cold = BetaGeo().fit(grown, method="laplace")
    assert cold.posterior_ is not None
    error = cold.posterior_.draws.std(axis=0)
    assert np.all(np.abs(warm.posterior_.draws.mean(axis=0) - cold.posterior_.draws.mean(axis=0)) < 0.2 * error)


def test_the_same_data_keep_the_last_posterior(last: BetaGeo) -> None:
    """All ratios are equal; that some draws are there twice is no tail of the weights."""
    again = BetaGeo().fit(_shop(1500, 1), method="laplace", start=last)
    assert again.posterior_ is not None and again.posterior_.source == "reweighted"


def test_another_shop_is_fitted_anew(last: BetaGeo) -> None:
    model = BetaGeo().fit(_shop(1500, 3, r=1.2, alpha=3.0), method="laplace", start=last)
    assert model.posterior_ is not None and model.posterior_.source == "psis"
    assert any("fitted anew" in note for note in model.notes_)


def test_the_maximum_is_found_from_the_last_one(last: BetaGeo, grown: pd.DataFrame) -> None:
    cold, warm = BetaGeo().fit(grown), BetaGeo().fit(grown, start=last.params_)
    assert warm.params_ == pytest.approx(cold.params_, rel=1e-4)
    assert warm.notes_ == ("the maximum was found from the last one",)


def test_a_far_start_is_not_believed(grown: pd.DataFrame) -> None:
    cold = BetaGeo().fit(grown)
    far = BetaGeo().fit(grown, start={"r": 50.0, "alpha": 4000.0, "a": 0.01, "b": 900.0})
    assert far.params_ == pytest.approx(cold.params_, rel=1e-4)
    assert "all starts were tried" in far.notes_[0]


def test_reweighting_again_and_again_does_not_wear_the_draws_out() -> None:
    """Of thirty steps of one percent, some are fitted anew; the draws never become few."""
    shop = _shop(3000, 4)
    model = BetaGeo().fit(shop.head(800), method="laplace")
    sources = set()
    for n in range(820, 1040, 20):
        model = BetaGeo().fit(shop.head(n), method="laplace", start=model)
        assert model.posterior_ is not None
        sources.add(model.posterior_.source)
        assert len(np.unique(model.posterior_.draws, axis=0)) > 250
    assert sources == {"psis", "reweighted"}


@pytest.mark.parametrize("start", [{"r": 1.0}, {"r": -1.0, "alpha": 1.0, "a": 1.0, "b": 1.0}])
def test_a_start_without_the_parameters_is_refused(grown: pd.DataFrame, start: dict[str, float]) -> None:
    with pytest.raises(CannotFit, match="r, alpha, a, b"):
        BetaGeo().fit(grown, start=start)
