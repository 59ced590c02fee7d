"""What a prediction is over draws of the parameters, in memory that does not grow with the customers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from retentioncast.models.arrays import Floats
from retentioncast.models.btyd.grouping import group_rows
from retentioncast.models.clv.predictive import tail_probabilities

#: Customers x draws at once: 4 MB a column, which a core's own cache holds.
_CELLS_AT_ONCE = 500_000


@dataclass(frozen=True, slots=True, eq=False)
class OverDraws:
    """Of each of m customers the mean, and the bounds of the central interval, over the draws: each (m,)."""

    mean: Floats
    low: Floats
    high: Floats


def over_draws(
    of: Callable[..., Floats], columns: tuple[Floats, Floats, Floats], parameters: Floats, interval: float
) -> OverDraws:
    """Ask `of(x, t_x, T, parameters)` for draws (n, k), once for equal rows of x, t_x, T (m,), some rows at a time.

    An answer is (n, customers), or (q, n, customers) of q predictions, of which everything told is (q, m).
    Rows are asked for in the order of x, T, t_x: much of a prediction is the same for all of one x and T.
    """
    x, t_x, age = columns
    groups = group_rows((x, age, t_x))
    x, age, t_x = groups.columns
    step = max(1, _CELLS_AT_ONCE // len(parameters))
    parts = [np.empty((3, 0))] if groups.size == 0 else []
    for start in range(0, groups.size, step):
        part = slice(start, start + step)
        values = of(x[part], t_x[part], age[part], parameters)
        bounds = _quantiles(values, tail_probabilities(interval))
        parts.append(np.stack([values.mean(axis=-2), *bounds]))
    return OverDraws(*np.concatenate(parts, axis=-1)[..., groups.group_of_row])


def _quantiles(values: Floats, shares: tuple[float, float]) -> list[Floats]:
    """np.quantile over the draws (..., n, m), by its default rule: with a customer's draws side by side, sooner."""
    by_customer = np.swapaxes(values, -1, -2).copy()
    last = by_customer.shape[-1] - 1
    places = [share * last for share in shares]
    by_customer.partition(sorted({min(int(place) + i, last) for place in places for i in (0, 1)}), axis=-1)
    found = []
    for place in places:
        low, high = by_customer[..., int(place)], by_customer[..., min(int(place) + 1, last)]
        found.append(low + (place - int(place)) * (high - low))
    return found
