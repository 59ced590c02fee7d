"""What was described is found again; what the data do not tell is said; data that are no good are refused."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from retentioncast.core.errors import InvalidInput, NotEnoughData
from retentioncast.models.populations.events import Calendar
from retentioncast.models.populations.mixture import Mixture
from retentioncast.models.populations.ordering import CannotTellApart
from retentioncast.models.populations.problems import InvalidPopulation
from retentioncast.models.stored import NotFitted
from tests.unit.models.populations.cases import EARLY, FORGOT, issue, lone


@pytest.fixture(scope="module")
def fitted() -> Mixture:
    mixture = issue()
    mixture.observe(mixture.sample(4000, seed=1)).fit(draws=250, seed=1)
    return mixture


def test_importance_draws_are_trusted_and_hold_the_truth(fitted: Mixture) -> None:
    assert fitted.draws_ is not None and fitted.draws_.source == "psis" and fitted.draws_.pareto_k < 0.7
    posterior = fitted.draws_.inference_data.posterior
    truth = {"EarlyCancel.lifetime.rate": 1 / 12, "ForgotCancel.cancel.rate": 1 / 6, "ForgotCancel.lifetime.scale": 5.0}
    for name, value in truth.items():
        draws = posterior[name].to_numpy()
        assert draws.shape == (4, 250)
        assert abs(draws.mean() - value) < 4 * draws.std()
    assert float(posterior["mix"].sel(segment="EarlyCancel").mean()) == pytest.approx(0.3, abs=0.03)
    assert float(posterior["EarlyCancel.cancel.value"].mean()) == pytest.approx(2.0, abs=1e-4)


def test_inference_data_say_how_they_came_about(fitted: Mixture) -> None:
    assert fitted.draws_ is not None
    data = fitted.draws_.inference_data
    assert {"posterior", "prior", "sample_stats"} <= set(data.children)
    assert data.attrs["importance_ess"] >= 400
    assert data.attrs["source"] == "psis" and data.sample_stats["lp"].shape == (4, 250)


@pytest.mark.parametrize("method", ["map", "em"])
def test_the_quick_ways_come_to_the_same_place(fitted: Mixture, method: Any) -> None:
    assert fitted.draws_ is not None
    posterior = fitted.draws_.inference_data.posterior
    mixture = issue()
    point = mixture.observe(mixture.sample(4000, seed=1)).fit(method=method).posterior
    for name in ("EarlyCancel.lifetime.rate", "ForgotCancel.cancel.rate", "ForgotCancel.lifetime.shape"):
        away = float(point[name].squeeze()) - float(posterior[name].mean())
        assert abs(away) < 0.6 * float(posterior[name].std())


def test_segments_are_told_apart(fitted: Mixture) -> None:
    found = fitted.segment_probabilities()
    events = fitted.sample(4000, seed=1)
    assert events.truth is not None
    early = events.truth["segment"].to_numpy() == "EarlyCancel"
    assert found["customer_id"].tolist() == events.truth["customer_id"].tolist()
    np.testing.assert_allclose(found[["EarlyCancel", "ForgotCancel"]].sum(axis=1), 1)
    assert found.loc[early, "EarlyCancel"].mean() > 0.9 and found.loc[~early, "EarlyCancel"].mean() < 0.05
    assert found["EarlyCancel"].mean() == pytest.approx(early.mean(), abs=0.02)  # they are probabilities


def test_forecasts_hold_what_happens_next() -> None:
    """Observed after 14 months, told the next half year, compared with what the same customers did."""
    mixture = issue()
    now, later = (mixture.sample(5000, seed=3, calendar=Calendar(observed=months)) for months in (14.0, 20.0))
    mixture.observe(now).fit(draws=250, seed=1)
    rows = mixture.forecast([6.0], interval=0.99, seed=1).to_dict("records")
    told: dict[str, Any] = {str(row["metric"]): row for row in rows}
    active = 5000 - (later.frame["event"] == "cancel").sum()
    assert told["active"]["low"] <= active <= told["active"]["high"]
    assert told["churned"]["mean"] == pytest.approx(5000 - told["active"]["mean"])
    assert told["mrr"]["mean"] > 5 * told["active"]["mean"]
    true = 0.7 * np.exp(-1) * (1 + 6 / 5) * np.exp(-6 / 5)
    assert told["retention"]["low"] <= true <= told["retention"]["high"]


def test_what_was_given_and_what_was_not_seen_is_said() -> None:
    never = {**EARLY, "cancel_dist": ("constant", {"value": 40})}
    mixture = Mixture([never, {**FORGOT, "lifetime_dist": ("uniform", {"low": 0, "high": 30})}])
    mixture.observe(mixture.sample(500, seed=1)).fit(draws=100, seed=1)
    told = " ".join(mixture.not_identified())
    assert "EarlyCancel.cancel.value is held at 40: no tie in the data shows it" in told
    assert "ForgotCancel.lifetime.high is held at 30: its bounds are given" in told


def test_nobody_cancelled_yet_gives_the_prior_cut_off_and_says_so() -> None:
    mixture = lone(cancel_dist=("exponential", {"rate": 0.01}), lifetime_dist=("exponential", {"rate": 0.001}))
    events = mixture.sample(60, seed=1, calendar=Calendar(arrivals=1.0, observed=1.0))
    assert (events.frame["event"] == "subscribe").all()
    posterior = mixture.observe(events).fit(draws=250, seed=1).posterior
    assert mixture.not_identified()[0].startswith("Nobody has cancelled yet")
    assert mixture.overlap()["All.lifetime.rate"] > 0.85
    assert float(posterior["All.cancel.rate"].mean()) < 0.011


@pytest.mark.parametrize("months", [0.0, 0.5])
def test_one_event_a_customer_is_fitted_whatever_was_stated(months: float) -> None:
    """Subscribed and nothing else, at this very moment or a while ago: constants are held, the rest is said."""
    mixture = issue()
    calendar = Calendar(arrivals=1e-6, observed=months + 1e-6)
    only = mixture.sample(40, seed=1, calendar=calendar).frame.query("event == 'subscribe'")
    at = only["at"].max() if months == 0 else calendar.observed_at
    posterior = mixture.observe(only, at).fit(draws=100, seed=1).posterior
    told = mixture.not_identified()
    assert told[0].startswith("Nobody has cancelled yet") and any("EarlyCancel.cancel.value is held" in t for t in told)
    assert float(posterior["mix"].sel(segment="EarlyCancel").mean()) == pytest.approx(0.3, abs=0.1)
    assert np.isfinite(mixture.forecast([1.0])["mean"]).all()


def test_a_shop_where_nobody_subscribes_is_no_mixture() -> None:
    with pytest.raises(InvalidPopulation, match="field subscribes: is 0 everywhere"):
        Mixture([{"name": "All", "mix": 1, "subscribes": 0, "lifetime_dist": ("exponential", {"rate": 0.1})}])


def test_data_of_one_segment_leave_the_other_to_its_prior() -> None:
    mixture = issue()
    only = lone(name="ForgotCancel").sample(2000, seed=1)
    posterior = mixture.observe(only).fit(draws=250, seed=1).posterior
    assert float(posterior["mix"].sel(segment="EarlyCancel").mean()) < 0.01
    assert mixture.overlap()["EarlyCancel.lifetime.rate"] > 0.7
    assert any("EarlyCancel.lifetime.rate is not identified" in note for note in mixture.not_identified())


def test_one_population_needs_no_mix() -> None:
    mixture = lone()
    posterior = mixture.observe(mixture.sample(800, seed=1)).fit(draws=100, seed=1).posterior
    assert posterior["mix"].to_numpy().min() == 1.0
    assert float(posterior["All.cancel.rate"].mean()) == pytest.approx(1 / 6, rel=0.15)


def test_one_parameter_and_none_at_all_are_fitted_too() -> None:
    given = ("uniform", {"low": 0, "high": 40})
    one, none = lone(lifetime_dist=given), lone(lifetime_dist=given, cancel_dist=("uniform", {"low": 0, "high": 9}))
    posterior = one.observe(one.sample(400, seed=1)).fit(draws=100, seed=1).posterior
    assert float(posterior["All.cancel.rate"].mean()) == pytest.approx(1 / 6, rel=0.2)
    none.observe(none.sample(400, seed=1)).fit()
    assert len(none.not_identified()) == 4 and none.segment_probabilities()["All"].min() == 1.0


def test_one_customer_is_enough_to_fit_and_too_little_to_know() -> None:
    mixture = lone()
    mixture.observe(mixture.sample(1, seed=1)).fit(draws=100, seed=1)
    assert mixture.not_identified()[0].startswith("Only 1 subscriptions")


def test_nothing_observed_is_refused() -> None:
    with pytest.raises(NotEnoughData):
        issue().observe([], datetime(2026, 1, 1, tzinfo=UTC))
    with pytest.raises(NotFitted, match="Call observe first"):
        issue().fit()
    with pytest.raises(NotFitted, match="then fit"):
        issue().overlap()


@pytest.mark.parametrize("wrong", [{"method": "mcmc"}, {"sampler": "gibbs"}, {"draws": 0}, {"target_accept": 1.0}])
def test_a_request_that_nobody_can_answer_is_refused(wrong: Any) -> None:
    mixture = lone()
    with pytest.raises(InvalidInput):
        mixture.observe(mixture.sample(50, seed=1)).fit(**wrong)


def test_two_populations_that_are_one_are_refused_unless_a_plan_tells_them_apart() -> None:
    twin = {**FORGOT, "name": "Twin", "mix": 0.3}
    mixture = Mixture([FORGOT, twin])
    with pytest.raises(CannotTellApart, match="'ForgotCancel' and 'Twin'"):
        mixture.observe(mixture.sample(100, seed=1))
    apart = Mixture([{**FORGOT, "plan": "basic"}, {**twin, "plan": "pro"}])
    events = apart.sample(600, seed=1)
    posterior = apart.observe(events).fit(draws=100, seed=1).posterior
    assert float(posterior["mix"].sel(segment="Twin").mean()) == pytest.approx(0.3, abs=0.06)
    assert events.truth is not None
    chosen = apart.segment_probabilities()[["ForgotCancel", "Twin"]].idxmax(axis=1)
    assert (chosen.to_numpy() == events.truth["segment"].to_numpy()).all()


def test_sampling_the_prior_gives_another_population_each_time() -> None:
    mixture = issue()
    rng = np.random.default_rng(1)
    rates = [s.cancel_dist.values[0] for _ in range(300) if (s := mixture.draw_prior(rng)[1]).cancel_dist]
    assert np.median(rates) == pytest.approx(1 / 6, rel=0.1) and np.std(np.log(rates)) == pytest.approx(0.5, abs=0.06)
    assert len(mixture.sample_prior(100, seed=1).frame) > 100
