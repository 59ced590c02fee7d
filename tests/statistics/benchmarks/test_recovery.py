"""A sample of what `python -m benchmarks recovery` does with 1,000 shops of every model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binom

from benchmarks.recovery import RANKED, SHARES, Row, band, fit_shop, flatness, missing_rows, run_recovery
from benchmarks.recovery_shops import models

#: The kernels that are quick enough for thirty shops in a test, none of which needs NUTS.
QUICK = ("BetaGeo", "GammaGamma", "ModifiedBetaGeo", "ShiftedBetaGeometric")
SHOPS = 30


@pytest.fixture(scope="module", params=QUICK)
def rows(request: pytest.FixtureRequest) -> list[Row]:
    return [fit_shop(models()[request.param], number) for number in range(SHOPS)]


def test_no_shop_is_left_out(rows: list[Row]) -> None:
    assert [row["error"] for row in rows] == [""] * SHOPS


def test_intervals_hold_the_truth_as_often_as_they_say(rows: list[Row]) -> None:
    """All parameters together; those of one shop are not independent, so the band is that of one parameter."""
    for level, share in enumerate(SHARES):
        held = float(np.mean([row["held"][level] for row in rows])) * SHOPS
        assert binom.ppf(0.0005, SHOPS, share) <= held <= binom.ppf(0.9995, SHOPS, share)


def test_every_rank_is_equally_likely(rows: list[Row]) -> None:
    for of_parameter in zip(*(row["ranks"] for row in rows), strict=True):
        counts = np.histogram(of_parameter, bins=4, range=(0, RANKED + 1))[0]
        assert np.square(counts - SHOPS / 4).sum() / (SHOPS / 4) < 21.1  # chi-square of 3 degrees, p = 0.0001


def test_a_posterior_that_is_too_narrow_would_be_seen() -> None:
    """Ranks of a truth that lies 1.2 times as widely as the draws."""
    rng = np.random.default_rng(1)
    ranks = [int((rng.standard_normal(RANKED) < 1.2 * rng.standard_normal()).sum()) for _ in range(1000)]
    honest = [int((rng.standard_normal(RANKED) < rng.standard_normal()).sum()) for _ in range(1000)]
    assert flatness(ranks) < 1e-4 < 0.001 < flatness(honest)
    low, high = band(1000, 0.5)
    assert (round(low, 3), round(high, 3)) == (0.459, 0.541)


def test_a_run_that_was_stopped_goes_on_where_it_was(tmp_path: Path) -> None:
    first = run_recovery(["ShiftedBetaGeometric"], 20, tmp_path)
    assert [row["shop"] for row in missing_rows("ShiftedBetaGeometric", 21, tmp_path)] == [20]
    again = run_recovery(["ShiftedBetaGeometric"], 20, tmp_path)
    assert again.table == first.table and again.table[0][:3] == ["ShiftedBetaGeometric", "alpha", "20"]
    assert again.claims[0].holds and sum(again.measurements["histograms"]["ShiftedBetaGeometric beta"]) == 20
