"""Point values that others print: Hardie's sheets, the R packages BTYD (its manual) and CLVTools (its tests)."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pytest

from retentioncast.models import BetaGeo, GammaGamma, ParetoNBD, summary_from_transactions
from tests.unit.models.cdnow import read_calibration, read_transactions


@pytest.fixture(scope="module")
def pareto() -> ParetoNBD:
    return ParetoNBD().fit(read_calibration())


def test_pareto_has_the_standard_errors_of_clvtools(pareto: ParetoNBD) -> None:
    """Its tests (test_correctness_pnbd.R) have .0476264, .8427222, .1872594, 6.2105448 and LL -9594.976."""
    printed = {name: round(error, 4) for name, error in pareto.standard_errors_.items()}
    assert printed == {"r": 0.0476, "alpha": 0.8427, "s": 0.1873, "beta": pytest.approx(6.2105448, rel=2e-4)}
    assert round(pareto.log_likelihood_, 3) == -9594.976


def test_beta_geo_has_the_further_digits_of_clvtools() -> None:
    """Its tests (test_correctness_bgnbd.R): .2425945, 4.4136019, .7929199, 2.4258881, LL -9582.429."""
    model = BetaGeo().fit(read_calibration())
    printed = {name: round(value, 4) for name, value in model.params_.items()}
    assert printed == {"r": 0.2426, "alpha": 4.4136, "a": 0.7929, "b": 2.4259}
    assert round(model.log_likelihood_, 3) == -9582.429


def test_pareto_on_all_78_weeks_has_the_parameters_of_the_paper_on_iso_value_curves() -> None:
    """Fader, Hardie & Lee (2005), "RFM and CLV"; to these digits in BTYD's manual, pnbd.Plot.DERT."""
    summary = summary_from_transactions(read_transactions(), observed_until=datetime(1998, 6, 30))  # noqa: DTZ001
    model = ParetoNBD().fit(summary)
    printed = [0.5629966, 12.5590370, 0.4081095, 10.5148048]
    assert list(model.params_.values()) == pytest.approx(printed, rel=2e-4)


def test_expected_purchases_are_those_of_btyd_to_eight_digits() -> None:
    """Its manual, pnbd.Expectation."""
    model = ParetoNBD()
    model.params_ = {"r": 0.55, "alpha": 10.56, "s": 0.61, "beta": 11.64}
    printed = [0.05077821, 0.09916088, 0.14542507, 0.18979930, 0.23247466, 0.27361274, 0.31335159, 0.35181024]
    assert model.expected_purchases_new(np.arange(1, 9)).round(8).tolist() == printed


def test_the_chances_of_counts_are_those_of_btyd_to_its_last_digit() -> None:
    """Its manual, bgnbd.pmf."""
    model = BetaGeo()
    model.params_ = {"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426}
    assert float(model.purchases_pmf(10, 2.0)) == pytest.approx(1.07869e-07, rel=1e-6)
    assert round(float(model.purchases_pmf(0, 39.0)), 7) == 0.5737864
    printed = [0.0019995214, 0.0015170236, 0.0011633150, 0.0009003148, 0.0007023638]
    printed += [0.0005517902, 0.0004361913, 0.0003467171, 0.0002769613, 0.0002222260]
    assert model.purchases_pmf(np.arange(11, 21), 30.0).round(10).tolist() == printed


def test_the_purchases_to_come_of_one_customer_are_those_of_hardies_sheet() -> None:
    model = BetaGeo().fit(read_calibration())
    assert round(float(model.expected_purchases(39, 2, 30.43, 38.86)), 3) == 1.226


def test_the_spend_of_ten_customers_is_that_of_hardies_sheet() -> None:
    """Note 25, the first ten of the 1/10 sample."""
    summary = read_calibration()
    model = GammaGamma().fit(summary)
    spend = model.expected_spend(summary["frequency"].head(10), summary["monetary_value"].head(10))
    assert spend.round(2).tolist() == [24.65, 18.91, 35.17, 35.17, 35.17, 71.46, 18.91, 35.17, 27.28, 35.17]


def test_pareto_is_finite_for_the_customers_that_broke_clvtools_before() -> None:
    """Four customers of 161 to 254 purchases whose P(alive) was NaN there (test_correctness_pnbd.R)."""
    model = ParetoNBD()
    model.params_ = {"r": 0.5143, "alpha": 2.8845, "s": 0.2856, "beta": 14.1087}
    recency, age = [103.42857, 97.14286, 94.71429, 98.57143], [103.57143, 97.28571, 98.0, 99.42857]
    alive = model.probability_alive([221, 254, 161, 204], recency, age)
    assert np.all((alive > 0.7) & (alive < 1))
    assert int(alive.argmin()) == 2  # 1.7 purchases a week, then 3.3 weeks of silence
