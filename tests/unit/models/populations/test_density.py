"""The log posterior is the one that is written down: term by term, its gradient, and what grouping leaves of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from retentioncast.models.arrays import Floats
from retentioncast.models.populations.density import Posterior
from retentioncast.models.populations.events import Events
from retentioncast.models.populations.mixture import Mixture
from retentioncast.models.populations.observed import CANCELLED, ENDED, OVER
from tests.unit.models.populations.cases import issue, lone, many


def observed(mixture: Mixture, n: int = 400, why: bool = True, days: float | None = 1.0) -> Posterior:
    events = mixture.sample(n, seed=5)
    if not why:
        events = Events(events.frame.drop(columns=["reason", "detail"]), events.observed_at)
    mixture.observe(events, resolution_days=days)
    assert mixture.observed_ is not None
    return mixture.observed_.posterior


def by_hand(mixture: Mixture, posterior: Posterior) -> float:
    """The log likelihood at the stated parameters, from the distributions themselves, a customer at a time."""
    total = 0.0
    for t, outcome, weight in zip(posterior.rows.duration, posterior.rows.outcome, posterior.rows.weights, strict=True):
        parts, at = [], np.array([t])
        for segment in mixture.segments:
            c, end = segment.distribution("cancel"), segment.distribution("lifetime")
            assert c is not None and end is not None
            wished = c.log_pdf(at) + end.log_sf(at)
            ended = end.log_pdf(at) + c.log_sf(at)
            runs = c.log_sf(at) + end.log_sf(at)
            term = {CANCELLED: wished, ENDED: ended, OVER: np.logaddexp(wished, ended)}.get(int(outcome), runs)
            parts.append(np.log(segment.mix) + term[0])
        total += weight * np.logaddexp.reduce(parts)
    return total


@pytest.mark.parametrize("why", [True, False])
def test_the_likelihood_is_that_of_competing_risks(why: bool) -> None:
    """Without atoms, where densities are densities."""
    mixture = Mixture([{**each, "mix": mix} for each, mix in zip(MANY_SMOOTH, (0.4, 0.3, 0.3), strict=True)])
    posterior = observed(mixture, why=why, days=None)
    u = posterior.layout.start()
    value = posterior.log_density(u) - posterior.layout.log_prior(u)[0]
    assert value == pytest.approx(by_hand(mixture, posterior), rel=1e-9)


@pytest.mark.parametrize("why", [True, False])
@pytest.mark.parametrize("make", [issue, many])
def test_the_gradient_is_the_slope(make: object, why: bool) -> None:
    posterior = observed(make(), why=why)  # type: ignore[operator]
    rng = np.random.default_rng(1)
    u = posterior.layout.start() + 0.1 * rng.standard_normal(posterior.layout.size)
    value, gradient = posterior.log_density_and_gradient(u)
    steps = np.eye(u.size) * 1e-5
    slopes = [(posterior.log_density(u + step) - posterior.log_density(u - step)) / 2e-5 for step in steps]
    assert value == posterior.log_density(u)
    np.testing.assert_allclose(gradient, slopes, rtol=1e-4, atol=1e-3)


def test_the_m_steps_gradient_is_its_slope_and_at_the_own_shares_the_posteriors() -> None:
    posterior = observed(many())
    u = posterior.layout.start() + 0.1
    shares = posterior.segment_shares(u)
    gradient = posterior.expected(u, shares)[1]
    np.testing.assert_allclose(gradient, posterior.log_density_and_gradient(u)[1], rtol=1e-6, atol=1e-4)
    can_be = posterior.segment_terms(posterior.layout.etas(u)) > -1e6
    turned, steps = shares[:, ::-1] * can_be, np.eye(u.size) * 1e-5
    slopes = [(posterior.expected(u + s, turned)[0] - posterior.expected(u - s, turned)[0]) / 2e-5 for s in steps]
    np.testing.assert_allclose(posterior.expected(u, turned)[1], slopes, rtol=1e-4, atol=2e-3)


@pytest.mark.parametrize("shape", [0.35, 0.6])
def test_a_density_that_is_infinite_at_0_loses_next_to_nothing_either(shape: float) -> None:
    """With the first day's durations at their mean the shape came out four standard deviations too high."""
    mixture = lone(lifetime_dist=("weibull", {"shape": shape, "scale": 11.0}))
    coarse, fine = (observed(mixture, 3000, days=days) for days in (1.0, None))
    u, step = coarse.layout.start(), np.array([0.0, 0.3, 0.0])  # the shape by a sixth
    rise = [posterior.log_density(u + step) - posterior.log_density(u) for posterior in (coarse, fine)]
    assert abs(rise[1]) > 10 and rise[0] == pytest.approx(rise[1], abs=0.15)


def test_days_put_together_lose_next_to_nothing() -> None:
    coarse, fine = (observed(issue(), 4000, days=days) for days in (1.0, None))
    assert coarse.rows.weights.size < 0.4 * fine.rows.weights.size
    assert coarse.rows.n_customers == fine.rows.n_customers == 4000
    u = coarse.layout.start()
    for shift in (0.0, 0.2, -0.2):
        at = u + shift * (np.arange(u.size) > 1)  # a constant's width is not a day's
        assert coarse.log_density(at) - coarse.log_density(u) == pytest.approx(
            fine.log_density(at) - fine.log_density(u), abs=0.15
        )


def test_a_constant_is_found_where_it_was_seen() -> None:
    posterior = observed(issue())
    (slot,) = [slot for slot in posterior.layout.slots if slot.anchor is not None]
    assert slot.name == "EarlyCancel.cancel.value" and slot.anchor == pytest.approx(2.0, abs=1e-6)


def test_segments_of_the_same_laws_stay_in_order_wherever_u_goes() -> None:
    """a cancels sooner than b in every draw: its rate is the higher one."""
    layout = observed(many()).layout
    draws = layout.readable(5 * layout.prior_draws(500, np.random.default_rng(2)))
    assert np.all(draws["a.cancel.rate"] > draws["b.cancel.rate"])


def test_the_prior_is_centred_on_what_was_stated() -> None:
    layout = observed(many()).layout
    middle: dict[str, Floats] = {
        name: np.median(each, axis=0)
        for name, each in layout.readable(layout.prior_draws(4000, np.random.default_rng(1))).items()
    }
    assert middle["c.cancel.sigma"] == pytest.approx(0.3, rel=0.05)
    assert middle["d.cancel.p"] == pytest.approx(0.2, rel=0.08)
    assert middle["b.cancel.rate"] == pytest.approx(0.05, rel=0.15)
    assert middle["mix"] == pytest.approx([0.28, 0.21, 0.28, 0.21], abs=0.03)


MANY_SMOOTH: list[dict[str, Any]] = [
    {"name": "a", "cancel_dist": ("exponential", {"rate": 0.4}),
     "lifetime_dist": ("weibull", {"shape": 1.5, "scale": 12})},
    {"name": "c", "cancel_dist": ("lognormal", {"mu": 1, "sigma": 0.3}),
     "lifetime_dist": ("normal", {"mean": 12, "sd": 3})},
    {"name": "d", "cancel_dist": ("gamma", {"shape": 2, "scale": 3}),
     "lifetime_dist": ("uniform", {"low": 0, "high": 60})},
]  # fmt: skip
