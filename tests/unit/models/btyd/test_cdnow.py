"""The published numbers of the CDNOW sample, to the printed digit."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import gammaln

from retentioncast.core.errors import FitFailed
from retentioncast.models import (
    FAMILIES,
    BetaGeo,
    GammaGamma,
    GammaGompertzNBD,
    ModifiedBetaGeo,
    ParetoNBD,
    summary_from_transactions,
)
from retentioncast.models.btyd.lifetime_kernels import log_likelihood
from tests.unit.models.cdnow import CALIBRATION_END, holdout_purchases, read_calibration, read_transactions


@pytest.fixture(scope="module")
def beta_geo() -> BetaGeo:
    return BetaGeo().fit(read_calibration())


def test_beta_geo_gives_the_numbers_of_fader_hardie_and_lee(beta_geo: BetaGeo) -> None:
    printed = {name: round(value, 3) for name, value in beta_geo.params_.items()}
    assert printed == {"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426}
    assert round(beta_geo.log_likelihood_, 2) == -9582.43
    assert beta_geo.n_customers_ == 2357 and beta_geo.n_groups_ < 1100


def test_gamma_gamma_gives_the_numbers_of_fader_and_hardie() -> None:
    summary = read_calibration()
    model = GammaGamma().fit(summary)
    assert {name: round(value, 2) for name, value in model.params_.items()} == {"p": 6.25, "q": 3.74, "v": 15.44}
    assert round(model.log_likelihood_, 2) == -4055.92
    assert model.n_customers_ == 946


def test_purchases_of_a_new_customer_are_those_of_the_paper(beta_geo: BetaGeo) -> None:
    weeks = np.array([1 / 7, 1, 3, 31 + 6 / 7, 32])
    expected = [0.0078, 0.0532, 0.1506, 1.0405, 1.0437]
    assert np.round(beta_geo.expected_purchases_new(weeks), 4).tolist() == expected


def test_the_paper_cut_its_series_at_78_weeks(beta_geo: BetaGeo) -> None:
    """Printed is 1.8576: the sum of the first 151 terms of 2F1. All terms give 1.8580."""
    r, alpha, a, b = (beta_geo.params_[name] for name in ("r", "alpha", "a", "b"))
    j, t = np.arange(151), 78.0
    log_terms = gammaln(r + j) - gammaln(r) + gammaln(b + j) - gammaln(b) + j * np.log(t / (alpha + t))
    log_terms += gammaln(a + b - 1) - gammaln(a + b - 1 + j) - gammaln(j + 1)
    cut = (a + b - 1) / (a - 1) * (1 - (alpha / (alpha + t)) ** r * np.exp(log_terms).sum())
    assert round(float(cut), 4) == 1.8576
    assert round(float(beta_geo.expected_purchases_new(t)), 4) == 1.8580


@pytest.mark.parametrize(
    ("family", "printed", "log_likelihood"),
    [
        ("MBG/NBD", {"r": 0.525, "alpha": 6.183, "a": 0.891, "b": 1.614}, -9582.14),
        ("Pareto/NBD", {"r": 0.553, "alpha": 10.578, "s": 0.606, "beta": 11.669}, -9594.98),
    ],
)
def test_the_other_families_give_their_published_numbers(
    family: str, printed: dict[str, float], log_likelihood: float
) -> None:
    model = FAMILIES[family]().fit(read_calibration())
    assert {name: round(value, 3) for name, value in model.params_.items()} == printed
    assert round(model.log_likelihood_, 2) == log_likelihood


def test_gamma_gompertz_ends_at_pareto_as_its_authors_found() -> None:
    """Bemmaor & Glady (2012), table 2: b .0002, LL -9594.98, that of Pareto/NBD; CLVTools: b .0000011, LL -9594.9762.

    Nothing in these data tells b from 0, so a fit has no maximum to show and says what ran off.
    """
    x, t_x, age = (read_calibration()[name].to_numpy(dtype=np.float64) for name in ("frequency", "recency", "T"))
    r, alpha, b, s, beta = 0.55313, 10.5758, 0.0000011, 0.60682, 0.000013
    value, _ = log_likelihood(np.array([r, alpha, s, beta / b, b]), x, t_x, age, np.ones(x.size))
    assert round(value, 2) == -9594.98
    with pytest.raises(FitFailed, match="runs off to zero"):
        GammaGompertzNBD().fit(read_calibration())


def test_a_single_customer_has_the_values_of_the_r_package_btyd() -> None:
    """Its walkthrough: 26 purchases, the last at 30.86 of 31 weeks; what is expected of the next 52."""
    model = ParetoNBD().fit(read_calibration())
    assert round(float(model.expected_purchases(52, 26, 30.86, 31.0)), 2) == 25.46
    assert round(float(model.probability_alive(26, 30.86, 31.0)), 4) == 0.9979


@pytest.mark.parametrize(
    ("model_class", "bias", "mae", "rmse", "correlation"),
    [
        # REFERENCES prints -12.2 %; at the maximum of the likelihood it is -12.146 % (2F1 gives the same to 1e-13).
        (BetaGeo, -0.1215, 0.7855, 1.6080, 0.6256),
        (ParetoNBD, -0.1150, 0.7545, 1.6028, 0.6302),
        (ModifiedBetaGeo, -0.1622, 0.7648, 1.6072, 0.6273),  # ours: nobody prints it
    ],
)
def test_holdout_errors_are_those_of_the_references(
    model_class: type[BetaGeo | ParetoNBD | ModifiedBetaGeo], bias: float, mae: float, rmse: float, correlation: float
) -> None:
    summary, happened = read_calibration(), holdout_purchases().to_numpy()
    model = model_class().fit(summary)
    predicted = model.expected_purchases(39, summary["frequency"], summary["recency"], summary["T"])
    error = predicted - happened
    assert happened.sum() == 1882
    assert round(float(predicted.sum() / happened.sum() - 1), 4) == bias
    assert round(float(np.abs(error).mean()), 4) == mae
    assert round(float(np.sqrt((error**2).mean())), 4) == rmse
    assert round(float(np.corrcoef(predicted, happened)[0, 1]), 4) == correlation


def test_the_unit_scales_the_parameters_and_nothing_else(beta_geo: BetaGeo) -> None:
    in_days = summary_from_transactions(read_transactions(), observed_until=CALIBRATION_END, time_unit="day")
    by_day = BetaGeo(time_unit="day").fit(in_days)
    assert by_day.params_["alpha"] == pytest.approx(7 * beta_geo.params_["alpha"], rel=1e-6)
    assert by_day.params_["a"] == pytest.approx(beta_geo.params_["a"], rel=1e-6)
    with pytest.raises(ValueError, match="count time in days, the model in weeks"):
        BetaGeo().fit(in_days)
