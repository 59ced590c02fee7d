"""Predictive intervals of residual value: simulated futures of each customer, parameters uncertain too."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from retentioncast.models.arrays import Floats
from retentioncast.models.btyd.time_unit import DAYS_PER_UNIT
from retentioncast.models.clv.ports import PurchaseModel, SpendModel
from retentioncast.models.clv.residual_value import discount_per_day

#: Futures (customers x draws) and single orders held at once: some 100 MB.
_FUTURES_AT_ONCE = 1_000_000
_ORDERS_AT_ONCE = 2_000_000


@dataclass(frozen=True, slots=True)
class Futures:
    """What is asked of the simulated futures: horizon and discount in days, number of draws, share inside."""

    horizon_days: float = 364.0
    discount_rate: float = 0.10
    draws: int = 400
    interval: float = 0.8
    seed: int = 0


def tail_probabilities(interval: float) -> tuple[float, float]:
    """Lower and upper tail of a central interval, e.g. (0.1, 0.9) for 0.8."""
    if not 0 < interval < 1:
        raise ValueError(f"interval {interval} must lie between 0 and 1; 0.8 leaves 10 percent on either side")
    return (1 - interval) / 2, (1 + interval) / 2


def value_interval(
    purchases: PurchaseModel, spend: SpendModel, rows: tuple[Floats, Floats, Floats, Floats], asked: Futures
) -> tuple[Floats, Floats]:
    """Bounds (m,) that hold the given share of what each customer (x, t_x, T, m) will bring, discounted.

    The interval is central, except that one which would begin at 0 (nothing bought) runs from 0 to the quantile of
    its share: cut at the upper tail of a central one, it would hold far more than it says. These are bounds of what
    happens, so a customer who most likely buys nothing has (0, 0) beside a mean above 0.
    Same seed and rows, same answer. Memory is bounded however many customers there are.
    """
    rng = np.random.default_rng(asked.seed)
    of_purchases = purchases.draw_parameters(asked.draws, asked.seed + 1)
    of_spend = spend.draw_parameters(asked.draws, asked.seed + 2)
    low, high = np.empty(rows[0].size), np.empty(rows[0].size)
    for part in chunks(rows[0].size, asked.draws):
        chunk = tuple(column[part] for column in rows)
        totals = simulate_values(purchases, spend, chunk, of_purchases, of_spend, asked, rng)
        low[part], high[part] = nested_bounds(totals, (asked.interval,))[0]
    return low, high


def nested_bounds(totals: Floats, shares: Sequence[float]) -> list[tuple[Floats, Floats]]:
    """Bounds (m,) of each share of the futures (draws, m), as `value_interval` gives them.

    Weibull's quantiles: what happens is one more draw beside the n, below their k-th with probability k / (n + 1). By
    numpy's own rule the 95 % interval of 200 futures would hold 94.1 %.
    """
    levels = np.array([(low, share, high) for share in shares for low, high in (tail_probabilities(share),)]).ravel()
    found = np.quantile(totals, levels, axis=0, method="weibull").reshape(len(shares), 3, *totals.shape[1:])
    return [(low, np.where(low == 0, one_sided, central)) for low, one_sided, central in found]


def simulate_values(
    purchases: PurchaseModel,
    spend: SpendModel,
    rows: tuple[Floats, ...],
    of_purchases: Floats,
    of_spend: Floats,
    asked: Futures,
    rng: np.random.Generator,
) -> Floats:
    """Discounted spend (draws, m) of the customers (x, t_x, T, m), one future for each parameter draw."""
    x, t_x, age, m = rows
    t = asked.horizon_days / DAYS_PER_UNIT[purchases.time_unit]
    orders, end = purchases.sample_future(t, x, t_x, age, of_purchases, rng)
    values = np.zeros(orders.shape)
    draw, customer = np.nonzero(orders)
    shape, rate = spend.sample_scale(x[customer], m[customer], of_spend[draw], rng)
    made = orders[draw, customer].astype(np.int64)
    days = end[draw, customer] * asked.horizon_days
    discount = discount_per_day(asked.discount_rate)
    if discount == 0:
        values[draw, customer] = rng.gamma(shape * made) / rate
    else:
        last_is_end = end[draw, customer] < 1
        values[draw, customer] = _discounted_spend(made, days, last_is_end, shape, discount, rng) / rate
    return values


def _discounted_spend(
    made: np.ndarray[tuple[int], np.dtype[np.int64]],
    days: Floats,
    last_is_end: np.ndarray[tuple[int], np.dtype[np.bool_]],
    shape: Floats,
    discount: float,
    rng: np.random.Generator,
) -> Floats:
    """Sum of discounted Gamma(shape, 1) orders a future: orders fall uniformly before `days`, the last of a customer
    who leaves at `days` itself (order statistics of a Poisson process)."""
    totals = np.empty(made.size)
    for part in _parts(made):
        count = made[part]
        owner = np.repeat(np.arange(count.size), count)
        when = rng.random(owner.size) * days[part][owner]
        leaves = np.flatnonzero(last_is_end[part])
        when[np.cumsum(count)[leaves] - 1] = days[part][leaves]
        money = rng.gamma(shape[part][owner]) * np.exp(-discount * when)
        totals[part] = np.bincount(owner, weights=money, minlength=count.size)
    return totals


def chunks(size: int, draws: int) -> Iterator[slice]:
    """Slices of as many customers as have their futures held at once."""
    step = max(1, _FUTURES_AT_ONCE // draws)
    return (slice(start, start + step) for start in range(0, size, step))


def _parts(made: np.ndarray[tuple[int], np.dtype[np.int64]]) -> Iterator[slice]:
    """Slices of about as many orders as are held at once."""
    part = np.cumsum(made) // _ORDERS_AT_ONCE
    edges = [*np.flatnonzero(np.diff(part, prepend=-1)).tolist(), made.size]
    return (slice(a, b) for a, b in pairwise(edges))
