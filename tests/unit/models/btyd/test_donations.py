"""The published numbers of the donations data (11,104 donors, 1995 to 2001) for BG/BB, to the printed digit."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, files

import numpy as np
import pandas as pd
import pytest

from retentioncast.models import BetaGeometricBetaBinomial


@pytest.fixture(scope="module")
def donations() -> pd.DataFrame:
    """Six yearly opportunities: frequency, recency, periods and how many donors (weights)."""
    try:
        path = next(file for file in files("lifetimes") or [] if file.name == "donations.csv").locate()
    except PackageNotFoundError:
        pytest.skip("lifetimes (its data files) is not installed: pip install 'retentioncast[cdnow]'")
    return pd.read_csv(str(path))


@pytest.fixture(scope="module")
def model(donations: pd.DataFrame) -> BetaGeometricBetaBinomial:
    columns = (donations[name] for name in ("frequency", "recency", "periods", "weights"))
    return BetaGeometricBetaBinomial().fit(*columns)


def test_the_parameters_are_those_of_fader_hardie_and_shang(model: BetaGeometricBetaBinomial) -> None:
    printed = {name: round(value, 3) for name, value in model.params_.items()}
    assert printed == {"alpha": 1.204, "beta": 0.750, "gamma": 0.657, "delta": 2.783}
    assert round(model.log_likelihood_, 2) == -33225.58
    assert model.n_customers_ == 11104 and model.n_groups_ == 22


def test_the_chances_to_be_alive_in_2002_are_those_of_table_6(model: BetaGeometricBetaBinomial) -> None:
    """Alive at the opportunity after the last that was seen: once more the customer stays."""
    gamma, delta = model.params_["gamma"], model.params_["delta"]
    alive = model.probability_alive([0, 2, 6], [0, 4, 6], 6) * (delta + 6) / (gamma + delta + 6)
    assert alive.round(2).tolist() == [0.11, 0.59, 0.93]


def test_donations_of_the_next_five_years_are_those_of_the_papers_sheet(
    model: BetaGeometricBetaBinomial, donations: pd.DataFrame
) -> None:
    expected = model.expected_purchases(5, donations["frequency"], donations["recency"], donations["periods"])
    assert round(float(expected @ donations["weights"]), 1) == 12884.2


def test_donors_of_no_and_of_six_donations_are_those_of_the_papers_sheet(model: BetaGeometricBetaBinomial) -> None:
    assert np.round(model.purchases_pmf([0, 6], 6) * 11104, 1).tolist() == [3454.9, 1253.1]


def test_gifts_of_a_new_donor_are_those_of_the_papers_tracking_sheet(model: BetaGeometricBetaBinomial) -> None:
    """Hardie's note 10, cells B7 to B17: after 1 to 11 appeals."""
    printed = [0.4985, 0.9233, 1.2969, 1.6323, 1.9381, 2.2202, 2.4826, 2.7285, 2.9603, 3.1798, 3.3887]
    assert model.expected_purchases_new(np.arange(1, 12)).round(4).tolist() == printed
