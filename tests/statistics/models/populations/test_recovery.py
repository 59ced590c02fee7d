"""A few trials of `python -m benchmarks mixtures`; NUTS against importance draws; the density in PyMC's own words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytensor.tensor as pt
import pytest

from benchmarks.mixture_recovery import run_trial
from benchmarks.mixtures import band, covered
from benchmarks.random_populations import random_populations
from retentioncast.models.populations.mixture import Mixture
from retentioncast.models.populations.pymc_model import MODE, make_pymc_model, readable_point
from tests.unit.models.populations.cases import EARLY, FORGOT, issue, many


def test_the_truth_lies_where_the_intervals_say() -> None:
    trials = [run_trial("early", seed, [EARLY, FORGOT], 700, draws=400) for seed in range(8)]
    places = [place for trial in trials for name, place in trial.places.items() if name != "mix.ForgotCancel"]
    for level in (0.5, 0.8, 0.94):
        low, high = band(level, len(places))
        assert low <= covered(level, places) <= high
    assert not any(trial.switched or trial.out_of_order or trial.failed for trial in trials)
    assert max(abs(off) for trial in trials for off in trial.constants.values()) < 1e-3


def test_segments_that_overlap_are_not_taken_for_each_other() -> None:
    """A start in five ends in a mode that explains these events 500,000 times worse, with the truth outside it."""
    one, again = (random_populations(np.random.default_rng([58, 1])) for _ in range(2))
    assert one == again
    trial = run_trial("random", 58, one, 3000, draws=400)
    assert trial.failed == "" and all(0 < place < 1 for place in trial.places.values())


def test_nuts_draws_what_importance_draws() -> None:
    mixture = issue()
    mixture.observe(mixture.sample(800, seed=1))
    by_weight = mixture.fit(draws=500, seed=1)
    by_nuts = mixture.fit(draws=200, tune=150, chains=2, sampler="nutpie", seed=1)
    assert by_nuts.attrs["source"] == "nutpie" and not by_nuts.sample_stats["diverging"].any()
    for name in ("EarlyCancel.lifetime.rate", "ForgotCancel.cancel.rate", "ForgotCancel.lifetime.scale"):
        one, other = (each.posterior[name].to_numpy() for each in (by_weight, by_nuts))
        assert one.mean() == pytest.approx(other.mean(), abs=0.3 * one.std())
        assert one.std() == pytest.approx(other.std(), rel=0.25)


@pytest.mark.parametrize("make", [issue, many])
def test_the_pymc_model_has_the_same_density(make: Callable[[], Mixture]) -> None:
    """Up to one constant: PyMC's coordinates are ours, stretched."""
    mixture = make()
    mixture.observe(mixture.sample(300, seed=1))
    assert mixture.observed_ is not None
    posterior = mixture.observed_.posterior
    model = make_pymc_model(posterior)
    density = model.compile_logp(mode=MODE)
    rng, differences, ours = np.random.default_rng(1), [], []
    for _ in range(4):
        u = posterior.layout.start() + 0.05 * rng.standard_normal(posterior.layout.size)
        ours.append(posterior.log_density(u))
        differences.append(float(density(_coordinates(model, readable_point(posterior.layout, u)))) - ours[-1])
    assert np.ptp(ours) > 0.3 and np.ptp(differences) < 1e-5


def _coordinates(model: Any, values: dict[str, Any]) -> dict[str, Any]:
    found = {}
    for variable in model.free_RVs:
        value, transform = model.rvs_to_values[variable], model.rvs_to_transforms[variable]
        given = np.asarray(values[variable.name], dtype=np.float64)
        if transform is not None:
            given = transform.forward(pt.as_tensor(given), *variable.owner.inputs).eval(mode=MODE)
        found[value.name] = given
    return found
