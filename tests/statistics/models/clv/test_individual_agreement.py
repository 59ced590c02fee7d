"""The two forms of the hierarchical value tell the same; so do draws of customers and what follows without them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from arviz_stats.base import array_stats

from retentioncast.models import (
    AutoTuner,
    BetaGeo,
    CLVConfig,
    ConvergenceDiagnostics,
    GammaGamma,
    HierarchicalCLV,
    IndividualCLV,
)
from retentioncast.models.arrays import Floats
from retentioncast.models.stored import NotFitted

CONFIG = CLVConfig(num_chains=2, num_samples=500, num_tune=400, target_accept=0.9, min_ess=40, max_rhat=1.1)
SIZES = {"ads": 30, "mail": 50, "search": 40}


@pytest.fixture(scope="module")
def customers() -> pd.DataFrame:
    parts = []
    for seed, (name, size) in enumerate(SIZES.items()):
        buying, spend = BetaGeo(), GammaGamma()
        buying.params_ = {"r": 0.6 + 0.2 * seed, "alpha": 5.0, "a": 0.8, "b": 2.5}
        spend.params_ = {"p": 6.0, "q": 4.0, "v": 40.0 + 20 * seed}
        rows = buying.sample(size, np.random.default_rng(seed).integers(10, 70, size), seed)
        spent = spend.sample(size, rows["frequency"], seed)["monetary_value"]
        parts.append(rows[["frequency", "recency", "T"]].assign(monetary_value=spent, segment=name))
    found = pd.concat(parts, ignore_index=True)
    found.index = pd.Index([f"c{i}" for i in found.index], name="customer_id")
    return found


@pytest.fixture(scope="module")
def individual(customers: pd.DataFrame) -> IndividualCLV:
    return IndividualCLV(CONFIG).fit(customers, seed=1)


@pytest.fixture(scope="module")
def integrated(customers: pd.DataFrame) -> HierarchicalCLV:
    fewer = CLVConfig(**{**CONFIG.to_content(), "num_samples": 300, "num_tune": 300})
    return HierarchicalCLV(fewer).fit(customers, sampler="nutpie", seed=1)


@pytest.mark.parametrize("part", ["purchases", "spend"])
def test_population_and_segments_are_those_of_the_integrated_form(
    part: str, individual: IndividualCLV, integrated: HierarchicalCLV
) -> None:
    """Means within 4 Monte Carlo errors of both, and as wide."""
    ours, theirs = (model.traces_[part]["posterior"] for model in (individual, integrated))
    for name in ("mu", "tau", "theta"):
        mean, error, width = measured(ours[name].to_numpy())
        other, other_error, other_width = measured(theirs[name].to_numpy())
        both = np.hypot(error, other_error)
        assert np.abs((mean - other) / both).max() < 4, name
        assert (both / width).max() < 0.25, "the errors are too large to tell anything"
        np.testing.assert_allclose(width, other_width, rtol=0.35)


def measured(draws: Floats) -> tuple[Floats, Floats, Floats]:
    """Mean, Monte Carlo error and standard deviation of each parameter of draws (chains, draws, ...)."""
    flat = draws.reshape(*draws.shape[:2], -1)
    errors = [float(array_stats.mcse(flat[:, :, j])) for j in range(flat.shape[2])]
    return flat.mean(axis=(0, 1)), np.array(errors), flat.std(axis=(0, 1))


def test_diagnostics_look_at_the_customers_too(individual: IndividualCLV) -> None:
    diagnostics = ConvergenceDiagnostics(CONFIG)
    assert not diagnostics.problems(individual.traces_["purchases"])
    trace = individual.traces_["purchases"].copy(deep=True)
    trace["posterior"]["dropout"][1, :, 7] = 0.999
    (problem, *_) = diagnostics.problems(trace)
    assert "of dropout[7] is above 1.1" in problem


def test_nuts_draws_of_each_customer_are_those_that_follow_from_the_population(
    customers: pd.DataFrame, individual: IndividualCLV
) -> None:
    """The chunked route against the whole one, customer by customer."""
    drawn, followed = individual.sampled_effects().loc[customers.index], individual.effects(customers)
    paying = customers["frequency"] > 0
    assert drawn["mean_spend"].notna().tolist() == paying.tolist()
    assert (drawn["probability_alive"] - followed["probability_alive"]).abs().max() < 0.05
    for name in ("purchase_rate", "dropout", "mean_spend"):
        ours, theirs = (frame.loc[paying | (name != "mean_spend")] for frame in (drawn, followed))
        width = theirs[f"{name}_high_80"] - theirs[f"{name}_low_80"]
        for column in (name, f"{name}_low_80", f"{name}_high_80"):
            assert ((ours[column] - theirs[column]).abs() / width).max() < 0.25, column


def test_customers_are_told_as_the_integrated_form_tells_them(
    customers: pd.DataFrame, individual: IndividualCLV, integrated: HierarchicalCLV
) -> None:
    drawn, alive = individual.sampled_effects(), integrated_alive(integrated, customers)
    assert (drawn["probability_alive"].loc[customers.index] - alive).abs().max() < 0.05
    ours, theirs = individual.predict(customers, draws=100), integrated.predict(customers, draws=100)
    for column in ("expected_purchases", "expected_spend", "residual_value"):
        assert (ours[column] - theirs[column]).abs().mean() / theirs[column].mean() < 0.06, column
    assert (ours["basis"] == theirs["basis"]).all()


def integrated_alive(model: HierarchicalCLV, customers: pd.DataFrame) -> pd.Series:
    found = pd.Series(np.nan, customers.index)
    for index, name in enumerate(model.segments_):
        rows = customers[customers["segment"] == name]
        draws = model.pooled_["purchases"].of_segment(index)
        alive = BetaGeo().probability_alive(rows["frequency"], rows["recency"], rows["T"], draws)
        found[rows.index] = alive.mean(axis=0)
    return found


def test_of_more_customers_than_it_may_take_a_sample_tells_the_population_and_all_are_told(
    customers: pd.DataFrame, individual: IndividualCLV
) -> None:
    changed = {"max_individuals": 75, "num_samples": 250, "num_tune": 250}
    few = IndividualCLV(CLVConfig(**{**CONFIG.to_content(), **changed})).fit(customers, seed=1)
    assert few.traces_["purchases"]["posterior"]["dropout"].shape == (2, 250, 75)
    assert "purchases: the population is told from 75 of 120 customers" in few.notes_
    assert len(few.sampled_effects()) < len(customers)
    ours, whole = few.effects(customers), individual.effects(customers)
    assert (ours["probability_alive"] - whole["probability_alive"]).abs().max() < 0.15
    assert ours["purchase_rate"].corr(whole["purchase_rate"]) > 0.99
    for part in ("purchases", "spend"):
        apart = few.pooled_[part].theta.mean(axis=0) - individual.pooled_[part].theta.mean(axis=0)
        assert np.abs(apart / few.pooled_[part].theta.std(axis=0)).max() < 1.5


def test_a_bad_fit_is_told_by_name_and_the_tuner_rescues_it(customers: pd.DataFrame) -> None:
    bad = CLVConfig(num_chains=2, num_samples=20, num_tune=20, target_accept=0.3, min_ess=40, max_rhat=1.2)
    model = IndividualCLV(bad).build_model(customers)
    tuned = AutoTuner(budget_s=3600).tune(model, seed=1)
    first = "; ".join(tuned.attempts[0].problems)
    assert "R-hat" in first and "diverged" in first
    assert tuned.passed and model.config.num_samples > 20, tuned.reason


def test_it_is_kept_in_a_file_and_comes_back_to_the_bit(
    tmp_path: Path, customers: pd.DataFrame, individual: IndividualCLV
) -> None:
    individual.save(tmp_path / "value.nc")
    again = IndividualCLV.load(tmp_path / "value.nc")
    pd.testing.assert_frame_equal(again.predict(customers, draws=50), individual.predict(customers, draws=50))
    assert again.config == individual.config and again.notes_ == individual.notes_
    with pytest.raises(NotFitted, match="leaves its traces behind"):
        again.sampled_effects()
