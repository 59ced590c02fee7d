"""The priors let typical shops be and rule out nonsense; every model has them."""

from __future__ import annotations

import numpy as np
import pytest

from retentioncast.models import BetaGeo, GammaGamma
from retentioncast.models.arrays import Floats
from retentioncast.models.btyd.likelihood_model import LikelihoodModel
from retentioncast.models.uncertainty.priors import LogNormal, UnknownPrior, priors_of, sample_priors
from tests.unit.models.test_laws import discovered_models

#: From furniture over CDNOW (about 1) to groceries.
_TYPICAL_REPEATS_A_YEAR = (0.3, 1.0, 3.0, 12.0, 50.0)


@pytest.mark.parametrize("model", discovered_models(), ids=lambda model: model.__name__)
def test_every_model_has_a_prior_for_each_parameter(model: type[LikelihoodModel]) -> None:
    assert tuple(model().priors()) == model.parameter_names


@pytest.fixture(scope="module")
def repeats_a_year() -> Floats:
    """Repeat purchases within the first year of a customer of 4,000 shops drawn from the priors."""
    draws = sample_priors(BetaGeo().priors(), 4000, seed=1)
    return BetaGeo().expected_purchases_new(52.0, draws)[:, 0]


@pytest.mark.parametrize("typical", _TYPICAL_REPEATS_A_YEAR)
def test_typical_shops_lie_inside_the_prior(repeats_a_year: Floats, typical: float) -> None:
    assert 0.02 < float((repeats_a_year < typical).mean()) < 0.99


def test_hardly_any_shop_of_the_prior_is_nonsense(repeats_a_year: Floats) -> None:
    assert float((repeats_a_year > 365).mean()) < 0.005
    assert float((repeats_a_year < 0.005).mean()) < 0.05


def test_published_parameters_are_no_outliers_of_the_priors() -> None:
    published = {
        "BetaGeo": (BetaGeo.parameter_names, (0.243, 4.414, 0.793, 2.426)),
        "GammaGamma": (GammaGamma.parameter_names, (6.25, 3.74, 15.44)),
    }
    for model, (names, values) in published.items():
        for prior, value in zip(priors_of(model, names).values(), values, strict=True):
            assert abs(np.log(value) - prior.centre()) < 2 * prior.spread


def test_spend_may_be_in_any_currency() -> None:
    p, q, v = sample_priors(GammaGamma().priors(), 4000, seed=1).T
    mean = (p * v / (q - 1))[q > 1]
    assert (q > 1).mean() > 0.98
    assert np.quantile(mean, 0.05) < 1 and np.quantile(mean, 0.95) > 3000


def test_the_unit_of_time_moves_a_prior_along() -> None:
    by_week, by_day = BetaGeo().priors(), BetaGeo(time_unit="day")
    weeks = sample_priors(by_week, 10, 1, BetaGeo().days_per_unit())
    days = sample_priors(by_day.priors(), 10, 1, by_day.days_per_unit())
    np.testing.assert_allclose(days, weeks * [1, 7, 1, 1])


def test_a_prior_can_be_chosen_by_name_and_a_strange_name_is_refused() -> None:
    chosen = BetaGeo().priors({"r": LogNormal(2.0, 0.1)})
    assert chosen["r"].median == 2.0 and chosen["alpha"] == BetaGeo().priors()["alpha"]
    with pytest.raises(UnknownPrior, match="BetaGeo has no parameter 'q'"):
        BetaGeo().priors({"q": LogNormal(1.0, 1.0)})
    with pytest.raises(UnknownPrior, match="no default prior for 'u'"):
        priors_of("Another", ("u",))


@pytest.mark.parametrize(("median", "spread"), [(0.0, 1.0), (1.0, 0.0), (float("nan"), 1.0)])
def test_a_prior_without_a_density_is_refused(median: float, spread: float) -> None:
    with pytest.raises(ValueError, match="above 0"):
        LogNormal(median, spread)
