"""New customers: how many, who they truly are, and what is on the agenda for them from the first day."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from simulator.plan import CUSTOMER, Act, Truth
from simulator.rhythm import DAY, HOUR, SECOND, activity, stamp
from simulator.segments import Segment, Subscribing
from simulator.tick import Tick

_EMAIL_CHANGES = 0.06
_DUPLICATE_DAYS = 20.0


def arrive(tick: Tick) -> None:
    """Everybody who signs up in this tick."""
    count = _how_many(tick)
    tick.world.counters.arrived += count
    first, last = tick.span
    times = np.sort(tick.draw_times(np.full(count, first), np.full(count, last)))
    arrived = zip(times.tolist(), _segments(tick, count), strict=True)
    tick.join([_sign_up(tick, at, segment) for at, segment in arrived])


def _how_many(tick: Tick) -> int:
    """In the past the exact number is spread over it at random; then a Poisson number arrives each tick."""
    terms, missing = tick.world.terms, tick.world.terms.customers - tick.world.counters.arrived
    first, last = tick.span
    if tick.world.tick < terms.history_ticks:
        end = float(activity(np.array([terms.history_until]))[0])
        return int(tick.rng.binomial(missing, min(1.0, (last - first) / (end - first))))
    return max(missing, 0) + int(tick.rng.poisson(_expected(tick, (last - first) / DAY)))


def _expected(tick: Tick, days: float) -> float:
    world = tick.world
    if world.wanted is None:
        return world.terms.arrivals_per_day * days
    gone = float(np.count_nonzero(world.people["died_at"] < tick.end))
    lacking = world.wanted.customers - len(world.people)
    return max(0.0, gone + lacking * min(1.0, world.terms.tick / world.wanted.within))


def _segments(tick: Tick, count: int) -> list[Segment]:
    segments = tick.population.segments
    chosen = tick.rng.choice(len(segments), size=count, p=[segment.mix for segment in segments])
    return [segments[index] for index in chosen]


def _sign_up(tick: Tick, at: int, segment: Segment) -> Truth:
    truth = _draw_truth(tick, at, segment)
    habit = segment.subscribing
    if habit is not None and tick.rng.random() < habit.share:
        truth = subscribe_later(tick, truth, habit)
    _register(tick, truth, segment)
    if tick.rng.random() < _EMAIL_CHANGES:
        tick.schedule(at + tick.rng.exponential(120 * DAY), "change_email", truth.customer_id)
    if tick.rng.random() < tick.population.duplicate_share:
        again = min(at + tick.rng.exponential(_DUPLICATE_DAYS * DAY), truth.died_at - 1)
        tick.schedule(again, "sign_up_again", truth.customer_id, reason=segment.name)
    return truth


def _draw_truth(tick: Tick, at: int, segment: Segment) -> Truth:
    def draw(name: str) -> float:
        return float(getattr(segment, name).sample(tick.rng, 1)[0])

    return Truth(
        tick.number("customer"), segment.name, at, at + max(SECOND, int(draw("lifetime") * DAY)),
        draw("purchase_rate"), draw("session_rate"), draw("mean_spend"), segment.spend_shape,
        draw("promotion_sensitivity"), segment.refund_probability,
    )  # fmt: skip


def _register(tick: Tick, truth: Truth, segment: Segment) -> None:
    person = tick.directory.person(tick.rng, truth.customer_id)
    channel, at = _pick(tick, segment.channels), truth.created_at
    tick.write(at, CUSTOMER, truth.customer_id, person.name, person.email, person.country, channel, stamp(at))
    if tick.rng.random() < segment.first_order:
        due = min(at + tick.rng.exponential(300 * SECOND), truth.died_at - 1)
        tick.schedule(due, "first_order", truth.customer_id)


def sign_up_again(tick: Tick, act: Act) -> None:
    """The same person makes a second account, which is merged into the first one after some days."""
    known = tick.person(act.customer_id)
    segment = next(each for each in tick.population.segments if each.name == act.reason)
    ends = act.due + max(HOUR, int(tick.rng.gamma(2, _DUPLICATE_DAYS / 2) * DAY))
    truth = known._replace(customer_id=tick.number("customer"), created_at=act.due, died_at=ends)
    if segment.subscribing is not None and tick.rng.random() < segment.subscribing.share / 2:
        truth = subscribe_later(tick, truth, segment.subscribing)
    _register(tick, truth, segment)
    tick.join([truth])
    tick.schedule(ends, "merge", truth.customer_id, subject_id=act.customer_id)


def subscribe_later(tick: Tick, truth: Truth, habit: Subscribing) -> Truth:
    """Put the start of a subscription on the agenda, and its end into the truth.

    The end is the earlier of the wish to cancel and the natural end, unless the segment forgets to cancel.
    """
    rng, life = tick.rng, truth.died_at - truth.created_at
    start = truth.created_at + int(min(rng.exponential(tick.population.start_delay_days * DAY), life / 2))
    wish = start + max(HOUR, int(habit.days_to_cancel.sample(rng, 1)[0] * DAY))
    plan, period = _pick(tick, habit.plans), "yearly" if rng.random() < habit.yearly_share else "monthly"
    reason = _pick(tick, habit.reasons)
    if not habit.outlives_activity and truth.died_at < wish:
        wish, reason = truth.died_at, "no_longer_needed"
    price = habit.prices[plan, period]
    tick.schedule(
        start, "subscribe", truth.customer_id,
        amount=price, plan=plan, billing_period=period, ends_at=wish, reason=reason,
    )  # fmt: skip
    return truth._replace(plan=plan, subscription_ends_at=wish, cancel_reason=reason)


def _pick(tick: Tick, shares: Mapping[str, float]) -> str:
    names = list(shares)
    return names[int(tick.rng.choice(len(names), p=list(shares.values())))]
