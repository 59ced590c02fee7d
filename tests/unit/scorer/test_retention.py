"""The scorer's forecast of retention: made where it can be, and otherwise the run says why."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from retentioncast.infra.settings import ScorerSettings
from retentioncast.models import ShiftedBetaGeometric
from scorer import retention
from scorer.retention import STANDING, forecast_retention

SETTINGS = ScorerSettings()


def standing(months: int = 6, size: int = 200) -> pd.DataFrame:
    """Cohorts of the first months of 2026, seen on the last day of the last of them."""
    model = ShiftedBetaGeometric()
    model.params_ = {"alpha": 0.8, "beta": 5.0}
    rows = []
    for number in range(months):
        faced = months - 1 - number
        lives = model.sample(size, faced, seed=number)
        for periods, lost in sorted({*zip(lives["periods"].astype(int), lives["lost"], strict=True)}):
            n = int(((lives["periods"] == periods) & (lives["lost"] == lost)).sum())
            rows.append((date(2026, number + 1, 1), faced, periods, lost == 0, 0.5, n, faced))
    return pd.DataFrame(rows, columns=STANDING)


def test_every_cell_that_is_not_seen_is_forecast_up_to_a_year() -> None:
    found = forecast_retention(standing(), SETTINGS)
    assert found.notes == () and found.parameters is not None
    assert found.parameters["model"] == "sBG" and found.parameters["n_subscriptions"] == 1200
    cells = found.forecast.groupby("cohort")["period"]
    assert cells.min().tolist() == [6, 5, 4, 3, 2, 1] and set(cells.max()) == {12}
    assert np.all(found.forecast["retained_low"] <= found.forecast["retained_high"])
    assert np.all(found.forecast["retained_high"] <= found.forecast["size"])
    assert np.all(found.forecast["retained"] <= found.forecast["at_risk"])


def test_same_seed_same_forecast() -> None:
    pd.testing.assert_frame_equal(
        forecast_retention(standing(), SETTINGS).forecast, forecast_retention(standing(), SETTINGS).forecast
    )


def test_too_few_subscriptions_give_no_forecast_and_the_reason() -> None:
    found = forecast_retention(standing(2, 3), SETTINGS)
    assert found.forecast.empty and found.parameters is None
    assert "Retention not forecast" in found.notes[0] and "sBG needs 10 customers" in found.notes[0]


def test_without_subscriptions_nothing_is_said() -> None:
    found = forecast_retention(pd.DataFrame(columns=STANDING), SETTINGS)
    assert found.forecast.empty and found.notes == ()


def test_a_fault_in_the_forecast_does_not_take_the_scores_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def break_down(*_: object) -> None:
        raise ZeroDivisionError("no")

    monkeypatch.setattr(retention, "forecast_cohorts", break_down)
    assert forecast_retention(standing(), SETTINGS).notes == (
        "Retention not forecast: ZeroDivisionError: no. See the scorer's log.",
    )
