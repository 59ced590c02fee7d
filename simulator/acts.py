"""What happens to whom at its time: one function an entry of the agenda; the table at the foot is the whole list."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from simulator.arrivals import sign_up_again
from simulator.plan import (
    CANCEL,
    CHANGE_EMAIL,
    CHANGE_PLAN,
    CORRECT_AMOUNT,
    CORRECT_TIME,
    DELETE_ORDER,
    MERGE,
    SUBSCRIPTION,
    TRANSACTION,
    Act,
    cents,
)  # fmt: skip
from simulator.rhythm import DAY, add_months, months_between, stamp
from simulator.shopping import buy, follow_up
from simulator.tick import Tick

_RENEWAL_REFUNDS = 0.02
_WITHOUT_REFERENCE, _SECOND_REFUNDS = 0.05, 0.25


def act_out(tick: Tick) -> None:
    """All of the agenda that is due before the tick ends, also what comes onto it meanwhile."""
    while (act := tick.world.next_due(tick.end)) is not None:
        tick.plan.finish_act(act)
        _ACTS[act.kind](tick, act)


def _first_order(tick: Tick, act: Act) -> None:
    people = tick.world.people
    index = np.searchsorted(people["customer_id"], [act.customer_id])
    buy(tick, people[index], np.array([act.due]))


def _subscribe(tick: Tick, act: Act) -> None:
    number, owner = tick.number("subscription"), tick.world.owner(act.customer_id)
    tick.write(
        act.due, SUBSCRIPTION, number, owner, act.plan, act.billing_period, cents(act.amount or 0), "USD",
        stamp(act.due), None, None,
    )  # fmt: skip
    _bill(tick, act._replace(subject_id=number, anchor=act.due), "purchase")


def _renew(tick: Tick, act: Act) -> None:
    if tick.rng.random() < tick.population.plan_changes:
        act = _change_plan(tick, act)
    _bill(tick, act, "renewal")


def _change_plan(tick: Tick, act: Act) -> Act:
    prices, period = tick.population.prices, act.billing_period or ""
    others = [plan for plan, each in prices if each == period and plan != act.plan]
    plan = others[int(tick.rng.integers(len(others)))]
    tick.write(act.due, CHANGE_PLAN, act.subject_id, plan, cents(prices[plan, period]))
    return act._replace(plan=plan, amount=prices[plan, period])


def _bill(tick: Tick, act: Act, kind: str) -> None:
    """Take the price of one period, and put the next bill or the cancellation on the agenda."""
    owner, amount, number = tick.world.owner(act.customer_id), act.amount or 0, tick.number("transaction")
    tick.write(
        act.due, TRANSACTION, number, owner, act.subject_id, kind, cents(amount), "USD", stamp(act.due), None, None
    )
    follow_up(tick, owner, number, act.due, amount, _RENEWAL_REFUNDS, float(tick.rng.random()))
    anchor, ends_at = act.anchor or act.due, act.ends_at or act.due
    step = 12 if act.billing_period == "yearly" else 1
    following = add_months(anchor, months_between(anchor, act.due) + step)
    details = act._asdict() | {"customer_id": owner}
    for name in ("due", "number", "kind", "customer_id"):
        del details[name]
    due, then = (following, "renew") if following < ends_at else (max(ends_at, act.due), "cancel")
    tick.schedule(due, then, owner, **details)


def _cancel(tick: Tick, act: Act) -> None:
    tick.write(act.due, CANCEL, act.subject_id, stamp(act.due), act.reason)


def _refund(tick: Tick, act: Act) -> None:
    owner, amount, rest = tick.world.owner(act.customer_id), act.amount or 0, act.rest or 0
    refers_to = None if tick.rng.random() < _WITHOUT_REFERENCE else act.subject_id
    number = tick.number("transaction")
    tick.write(
        act.due, TRANSACTION, number, owner, None, "refund", cents(amount), "USD", stamp(act.due), refers_to, None
    )
    if rest > 0 and tick.rng.random() < _SECOND_REFUNDS:
        due = act.due + tick.rng.exponential(3 * DAY)
        tick.schedule(due, "refund", owner, subject_id=act.subject_id, amount=rest, rest=0)


def _correct_amount(tick: Tick, act: Act) -> None:
    tick.write(act.due, CORRECT_AMOUNT, act.subject_id, cents(act.amount or 0))


def _correct_time(tick: Tick, act: Act) -> None:
    at = act.anchor or act.due
    tick.write(act.due, CORRECT_TIME, act.subject_id, stamp(at + int((act.due - at) * tick.rng.random())))


def _delete_order(tick: Tick, act: Act) -> None:
    tick.write(act.due, DELETE_ORDER, act.subject_id)


def _change_email(tick: Tick, act: Act) -> None:
    tick.write(act.due, CHANGE_EMAIL, act.customer_id, tick.directory.new_email(tick.rng, act.customer_id))


def _merge(tick: Tick, act: Act) -> None:
    into = act.subject_id or 0
    tick.write(act.due, MERGE, act.customer_id, into)
    tick.world.owners[act.customer_id] = into
    tick.plan.merged.append((act.customer_id, into, act.due))


_ACTS: Mapping[str, Callable[[Tick, Act], None]] = {
    "first_order": _first_order,
    "subscribe": _subscribe,
    "renew": _renew,
    "cancel": _cancel,
    "refund": _refund,
    "correct_amount": _correct_amount,
    "correct_time": _correct_time,
    "delete_order": _delete_order,
    "change_email": _change_email,
    "sign_up_again": sign_up_again,
    "merge": _merge,
}
