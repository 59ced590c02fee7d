"""The shop's customers as the simulator plays them: a mixture of segments, made from a description of populations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np

from retentioncast.core.errors import InvalidInput
from retentioncast.models.arrays import Floats
from retentioncast.models.btyd.time_unit import DAYS_PER_UNIT
from retentioncast.models.populations import segments as described
from retentioncast.models.populations.distributions import Distribution
from retentioncast.models.populations.specification import Specification, parse_specification
from simulator.population_files import DEMO, read_population


@dataclass(frozen=True, slots=True)
class Wait:
    """A waiting time in days, whatever unit it was described in."""

    distribution: Distribution
    unit_days: float

    def sample(self, rng: np.random.Generator, count: int) -> Floats:
        """`count` independent draws in days, shape (count,)."""
        return self.distribution.sample(rng, count) * self.unit_days


@dataclass(frozen=True, slots=True)
class Subscribing:
    """How a segment subscribes: the share that does, what it takes, and when and why it leaves."""

    share: float
    plans: Mapping[str, float]
    yearly_share: float
    #: Cents by plan and billing period.
    prices: Mapping[tuple[str, str], int]
    #: From the start until the wish to cancel.
    days_to_cancel: Wait
    #: True: it forgets to cancel, the subscription outlives the customer's activity.
    outlives_activity: bool
    reasons: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Segment:
    """One kind of customer. Rates are per day of event time, lifetimes in days, spend in the shop's currency."""

    name: str
    mix: float
    purchase_rate: Distribution
    lifetime: Wait
    mean_spend: Distribution
    #: Shape of the gamma distribution of one order around the customer's own mean.
    spend_shape: float
    session_rate: Distribution
    promotion_sensitivity: Distribution
    refund_probability: float
    #: The share that buys when it signs up.
    first_order: float
    channels: Mapping[str, float]
    subscribing: Subscribing | None = None


@dataclass(frozen=True, slots=True)
class Population:
    """A mixture of segments; the mix sums to 1."""

    segments: tuple[Segment, ...]
    #: Cents by plan and billing period.
    prices: Mapping[tuple[str, str], int]
    #: Of those that arrive, so many are a second account of somebody who is already there.
    duplicate_share: float
    #: The share of renewals at which the plan is changed.
    plan_changes: float
    #: Mean days from signing up to subscribing.
    start_delay_days: float


@cache
def population(text: str) -> Population:
    """The population that this JSON text describes; empty: the demo shop."""
    return make_population(parse_specification(text, "json") if text else read_population(DEMO))


def make_population(specification: Specification) -> Population:
    """What the simulator plays. Raises InvalidInput for a plan that the shop does not sell."""
    shop, unit = specification.shop, DAYS_PER_UNIT[specification.time_unit]
    prices = {
        (plan, period): _cents(price) for plan, periods in shop.prices.items() for period, price in periods.items()
    }
    segments = tuple(_segment(each, unit, prices) for each in specification.segments)
    return Population(segments, prices, shop.duplicate_share, shop.plan_changes, shop.start_delay_days)


def _segment(segment: described.Segment, unit: float, prices: Mapping[tuple[str, str], int]) -> Segment:
    assert segment.lifetime_dist is not None
    habits = segment.habits
    return Segment(
        segment.name, segment.mix, habits.purchase_rate, Wait(segment.lifetime_dist, unit), habits.mean_spend,
        habits.spend_shape, habits.session_rate, habits.promotion_sensitivity, habits.refund_probability,
        habits.first_order, segment.shares("channel"), _subscribing(segment, unit, prices),
    )  # fmt: skip


def _subscribing(segment: described.Segment, unit: float, prices: Mapping[tuple[str, str], int]) -> Subscribing | None:
    if segment.cancel_dist is None or segment.subscribes == 0:
        return None
    own = dict(prices) | {(plan, "monthly"): _cents(price) for plan, price in segment.prices.items()}
    periods = segment.shares("billing_period")
    for plan in segment.shares("plan"):
        for period in periods:
            _require_price(segment.name, plan, period, own)
    return Subscribing(
        segment.subscribes, segment.shares("plan"), periods.get("yearly", 0.0), own, Wait(segment.cancel_dist, unit),
        segment.outlives_activity, segment.shares("detail"),
    )  # fmt: skip


def _require_price(name: str, plan: str, period: str, prices: Mapping[tuple[str, str], int]) -> None:
    if (plan, period) not in prices:
        raise InvalidInput(
            f"population {name!r}: the shop sells no plan {plan!r} billed {period}.",
            "It sells " + ", ".join(sorted({known for known, _ in prices})) + ", monthly and yearly.",
        )


def _cents(price: float) -> int:
    return round(100 * price)
