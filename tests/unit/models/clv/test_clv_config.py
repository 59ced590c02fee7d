"""The configuration of the hierarchical value: its defaults are the documented ones, and nonsense is named."""

from __future__ import annotations

import math
from typing import Any

import pytest

from retentioncast.models.clv.config import CLVConfig, InvalidConfig


def test_the_defaults_are_those_that_were_asked_for() -> None:
    config = CLVConfig()
    assert (config.num_chains, config.num_samples, config.target_accept, config.rescale_factor) == (4, 2000, 0.8, 1000)
    assert (config.min_transactions, config.min_ess, config.max_rhat) == (2, 400, 1.05)


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("num_chains", 0, "out of range"),
        ("num_samples", 10.5, "no whole number"),
        ("target_accept", 1.0, "out of range"),
        ("max_rhat", math.nan, "out of range"),
        ("rescale_factor", "1000", "no number"),
        ("min_ess", True, "no whole number"),
    ],
)
def test_a_value_out_of_range_is_named(name: str, value: Any, told: str) -> None:
    with pytest.raises(InvalidConfig, match=rf"{name} = .* {told}.* Give "):
        CLVConfig(**{name: value})


def test_it_goes_through_json_and_refuses_names_that_there_are_not() -> None:
    config = CLVConfig(num_samples=50, centred=True)
    assert CLVConfig.from_content(config.to_content()) == config
    with pytest.raises(InvalidConfig, match="'num_sample'"):
        CLVConfig.from_content({"num_sample": 3})
