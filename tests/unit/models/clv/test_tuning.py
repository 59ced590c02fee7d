"""Diagnostics say which thresholds a fit misses, and the tuner what to change, with its reasons."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from retentioncast.core.errors import InvalidInput
from retentioncast.models.clv.config import CLVConfig
from retentioncast.models.clv.diagnostics import Diagnostics, check_trace
from retentioncast.models.clv.tuning import AutoTuner
from tests.unit.models.clv.made_up import make_value

GOOD = Diagnostics("nuts", 8000, 3000, 2500, 1.003, 0.02, 0.0, 0.0, 0.9)
CONFIG = CLVConfig()
RNG = np.random.default_rng(1)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"r_hat": 1.2}, "R-hat 1.200"),
        ({"r_hat": math.nan}, "R-hat nan"),
        ({"ess_bulk": 100.0}, "bulk ESS 100 is below 400"),
        ({"ess_tail": 10.0}, "tail ESS 10"),
        ({"divergent": 0.02}, "2.0 % of the draws diverged"),
        ({"bfmi": 0.1}, "BFMI 0.10"),
        ({"at_depth": 0.5}, "50 % of the draws reached the greatest tree depth"),
    ],
)
def test_each_threshold_that_is_missed_is_told(changed: dict[str, Any], told: str) -> None:
    assert not GOOD.problems(CONFIG)
    (problem,) = replace(GOOD, **changed).problems(CONFIG)
    assert told in problem
    advice = AutoTuner().analyze_diagnostics(replace(GOOD, **changed), CONFIG)
    assert advice.reasons and advice.config != CONFIG


def test_importance_draws_are_judged_by_their_own_measures() -> None:
    weights = Diagnostics("psis", 1000, pareto_k=0.5, effective=200.0)
    assert not weights.problems(CONFIG)
    assert "Pareto k 0.90" in replace(weights, pareto_k=0.9).problems(CONFIG)[0]
    assert "20 draws are behind" in replace(weights, effective=20.0).problems(CONFIG)[0]
    assert check_trace({"purchases": make_value().pooled_["purchases"].to_inference_data()}).pareto_k == 0.3


def test_what_passes_is_left_alone() -> None:
    advice = AutoTuner().analyze_diagnostics(GOOD)
    assert advice.config == CONFIG and not advice.reasons


def test_divergences_are_met_by_smaller_steps_then_other_coordinates_then_a_tighter_prior_and_then_no_more() -> None:
    diverging, config, seen = replace(GOOD, divergent=0.1), CLVConfig(target_accept=0.3), []
    for _ in range(10):
        advice = AutoTuner().analyze_diagnostics(diverging, config)
        if not advice.reasons:
            break
        config = advice.config
        seen.append((config.target_accept, config.centred, config.spread_between))
    assert seen == [
        (0.9, False, 0.25), (0.97, False, 0.25), (0.99, True, 0.25), (0.99, False, 0.125), (0.99, False, 0.0625),
    ]  # fmt: skip


def test_draws_grow_as_the_effective_size_says() -> None:
    short = CLVConfig(num_samples=20, num_chains=1, num_tune=10)
    advice = AutoTuner().analyze_diagnostics(replace(GOOD, ess_bulk=40, ess_tail=50, r_hat=1.3), short)
    assert advice.config.num_samples == pytest.approx(20 * 13, abs=1)
    assert (advice.config.num_tune, advice.config.num_chains) == (500, 2)


def test_a_chain_that_does_not_move_is_worth_nothing() -> None:
    import arviz_base

    still = np.zeros((2, 50, 1))
    stats = {
        "diverging": still[..., 0],
        "tree_depth": still[..., 0],
        "energy": np.random.default_rng(1).random((2, 50)),
    }
    tree = arviz_base.from_dict({"posterior": {"mu": still, "tau": still, "theta": still}, "sample_stats": stats})
    found = check_trace(tree)
    assert found.r_hat == math.inf and found.ess_bulk == 0
    with pytest.raises(InvalidInput):
        check_trace({})
