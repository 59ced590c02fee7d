"""The tuner rescues a fit that begins with a bad configuration, and gives up cleanly on one that cannot work."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from retentioncast.models import BetaGeo, GammaGamma
from retentioncast.models.clv.config import CLVConfig
from retentioncast.models.clv.diagnostics import check_trace
from retentioncast.models.clv.hierarchical import HierarchicalCLV
from retentioncast.models.clv.tuning import MOST_ATTEMPTS, AutoTuner


@pytest.fixture(scope="module")
def customers() -> pd.DataFrame:
    """Two segments of 150 customers."""
    parts = []
    for seed, r in enumerate((0.5, 0.8)):
        buying, spend = BetaGeo(), GammaGamma()
        buying.params_ = {"r": r, "alpha": 5.0, "a": 0.8, "b": 2.5}
        spend.params_ = {"p": 6.0, "q": 4.0, "v": 40.0}
        rows = buying.sample(150, np.full(150, 60.0), seed)
        spent = spend.sample(150, rows["frequency"], seed)["monetary_value"]
        parts.append(rows.assign(monetary_value=spent, segment=f"s{seed}"))
    return pd.concat(parts, ignore_index=True)


def test_a_fit_of_twenty_draws_that_accepts_almost_anything_is_rescued(customers: pd.DataFrame) -> None:
    bad = CLVConfig(num_samples=20, num_tune=20, num_chains=2, target_accept=0.3, min_ess=40, max_rhat=1.2)
    model = HierarchicalCLV(bad).build_model(customers)
    tuned = AutoTuner(budget_s=3600).tune(model, "nutpie", seed=1)
    assert tuned.attempts[0].problems and tuned.passed, tuned.reason
    assert model.config.num_samples > 20 and not check_trace(model.traces_).problems(model.config)


def test_it_gives_up_on_what_cannot_work_and_says_why(customers: pd.DataFrame) -> None:
    """More effective draws are asked for than will ever be drawn within the budget."""
    hopeless = CLVConfig(num_samples=20, num_tune=20, num_chains=2, min_ess=1_000_000)
    model = HierarchicalCLV(hopeless).build_model(customers)
    tuned = AutoTuner(budget_s=1.0).tune(model, "nutpie", seed=1)
    assert not tuned.passed and len(tuned.attempts) < MOST_ATTEMPTS
    assert "too many for 1 s" in tuned.reason and "ESS" in tuned.reason


def test_importance_weights_that_do_not_hold_end_it_at_once(
    customers: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("retentioncast.models.clv.diagnostics.FEWEST_BEHIND", 1e9)
    tuned = AutoTuner().tune(HierarchicalCLV().build_model(customers), "psis", seed=1)
    assert not tuned.passed and len(tuned.attempts) == 1 and "importance weights do not hold" in tuned.reason
