"""What the living do on their own in a tick: purchases and sessions, all customers at once."""

from __future__ import annotations

import numpy as np

from simulator.plan import SESSION, TRANSACTION, cents
from simulator.rhythm import CAMPAIGN_LIFT, CAMPAIGN_SHARE, DAY, HOUR, Floats, Micros, activity, campaign, stamp
from simulator.tick import Tick
from simulator.world import People

_FREE_ORDERS, _TEST_ORDERS = 0.006, 0.004
_AMOUNT_CORRECTED, _TIME_CORRECTED = 0.012, 0.004
_DISCOUNT = 0.85
_CHANNELS = ("web", "app", "email", "partner")
_CHANNEL_SHARES = (0.55, 0.3, 0.1, 0.05)


def shop(tick: Tick) -> None:
    """Purchases and sessions of this tick: Poisson processes whose rate follows the shop's rhythm."""
    people = tick.world.people
    begin = activity(np.maximum(people["created_at"], tick.start))
    end = activity(np.minimum(people["died_at"], tick.end))
    _purchases(tick, people, begin, end)
    _sessions(tick, people, begin, end)


def campaign_factor(sensitivity: Floats, running: bool) -> Floats:
    """A campaign lifts the rate of those who wait for one; over a year the rate stays what the truth says."""
    lift = CAMPAIGN_LIFT * sensitivity
    factor: Floats = (1 + lift * running) / (1 + lift * CAMPAIGN_SHARE)
    return factor


def buy(tick: Tick, people: People, times: Micros) -> None:
    """One purchase by each of these (with repetition) at these times, sorted."""
    code, count = campaign(tick.start), len(people)
    amounts = tick.rng.gamma(people["spend_shape"], people["mean_spend"] / people["spend_shape"])
    chance = tick.rng.random((4, count))
    promoted = (chance[0] < 0.2 + 0.8 * people["promotion_sensitivity"]) & (code is not None)
    free = chance[1] < _FREE_ORDERS
    money = np.where(free, 0, np.maximum(1, np.rint(100 * amounts * np.where(promoted, _DISCOUNT, 1)))).astype(int)
    first, ids = tick.number("transaction", count), people["customer_id"].tolist()
    rows = zip(ids, times.tolist(), money.tolist(), promoted.tolist(), free.tolist(), strict=True)
    for number, (customer, at, amount, has_code, is_free) in enumerate(rows, first):
        promotion = "FREE" if is_free else code if has_code else None
        tick.write(
            at, TRANSACTION, number, customer, None, "purchase", cents(amount), "USD", stamp(at), None, promotion
        )
    _fates(tick, people, first, times, money, chance[2])
    for index in np.flatnonzero(chance[3] < _TEST_ORDERS).tolist():
        _test_order(tick, ids[index], int(times[index]))


def follow_up(tick: Tick, customer: int, number: int, at: int, amount: int, refund: float, chance: float) -> None:
    """The later fate of one transaction, if it has one: a refund, a corrected amount or a corrected time."""
    rng = tick.rng
    if chance < refund and amount > 0:
        part = amount if rng.random() < 0.65 else max(1, int(amount * rng.uniform(0.2, 0.9)))
        due = at + HOUR + rng.exponential(6 * DAY)
        tick.schedule(due, "refund", customer, subject_id=number, amount=part, rest=amount - part)
    elif refund <= chance < refund + _AMOUNT_CORRECTED:
        due = at + rng.exponential(DAY)
        tick.schedule(due, "correct_amount", customer, subject_id=number, amount=int(amount * rng.uniform(0.5, 1.1)))
    elif refund + _AMOUNT_CORRECTED <= chance < refund + _AMOUNT_CORRECTED + _TIME_CORRECTED:
        tick.schedule(at + rng.exponential(DAY), "correct_time", customer, subject_id=number, anchor=at)


def _purchases(tick: Tick, people: People, begin: Floats, end: Floats) -> None:
    factor = campaign_factor(people["promotion_sensitivity"], campaign(tick.start) is not None)
    who = _draw_who(tick, people["purchase_rate"] * factor * (end - begin) / DAY)
    times = tick.draw_times(begin[who], end[who])
    order = np.argsort(times, kind="stable")
    buy(tick, people[who[order]], times[order])


def _sessions(tick: Tick, people: People, begin: Floats, end: Floats) -> None:
    who = _draw_who(tick, people["session_rate"] * (end - begin) / DAY)
    times = tick.draw_times(begin[who], end[who])
    order = np.argsort(times, kind="stable")
    pages = tick.rng.geometric(0.25, len(who)).tolist()
    channels = tick.rng.choice(len(_CHANNELS), size=len(who), p=_CHANNEL_SHARES).tolist()
    ids, sorted_times = people["customer_id"][who[order]].tolist(), times[order].tolist()
    first = tick.number("session", len(who))
    for number, (customer, at) in enumerate(zip(ids, sorted_times, strict=True)):
        tick.write(at, SESSION, first + number, customer, stamp(at), pages[number], _CHANNELS[channels[number]])


def _draw_who(tick: Tick, expected: Floats) -> Micros:
    """Indices of customers, with repetition: independent Poisson numbers of these means, drawn as one total."""
    edges = np.cumsum(np.maximum(expected, 0))
    total = float(edges[-1]) if len(edges) else 0.0
    points = tick.rng.random(tick.rng.poisson(total)) * total
    chosen: Micros = np.minimum(np.searchsorted(edges, points, side="right"), len(edges) - 1).astype(np.int64)
    return chosen


def _fates(tick: Tick, people: People, first: int, times: Micros, money: Micros, chance: Floats) -> None:
    refund = people["refund_probability"]
    for index in np.flatnonzero(chance < refund + _AMOUNT_CORRECTED + _TIME_CORRECTED).tolist():
        follow_up(
            tick, int(people["customer_id"][index]), first + index, int(times[index]), int(money[index]),
            float(refund[index]), float(chance[index]),
        )  # fmt: skip


def _test_order(tick: Tick, customer: int, at: int) -> None:
    """Somebody tries the checkout; the order is deleted soon."""
    number = tick.number("transaction")
    tick.write(at, TRANSACTION, number, customer, None, "purchase", "1.00", "USD", stamp(at), None, "TEST")
    tick.schedule(at + 60_000_000 + tick.rng.exponential(2 * HOUR), "delete_order", customer, subject_id=number)
