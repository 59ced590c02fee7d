"""Equal rows are put together with a weight: exact, and a million customers become some ten thousand rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from retentioncast.models.arrays import Floats, Integers
from retentioncast.models.btyd.compiled import compiled


@dataclass(frozen=True, slots=True)
class Groups:
    """Distinct rows in ascending order (by the first column, then the next), and where each row went."""

    columns: tuple[Floats, ...]
    weights: Floats
    group_of_row: Integers

    @property
    def size(self) -> int:
        return int(self.weights.size)


def group_rows(columns: tuple[Floats, ...], weights: Floats | None = None) -> Groups:
    """Distinct rows of equally long columns of shape (n,), with summed weights; rows of no weight count for nothing."""
    order = np.arange(columns[0].size)
    differs = np.zeros(order.size, dtype=np.bool_)
    differs[:1] = True
    ranked = [pd.factorize(column, sort=True) for column in columns]
    for ranks, values in reversed(ranked):
        order = _order_by(ranks, len(values), order)
    for ranks, _ in ranked:
        _mark_changes(ranks, order, differs)
    group_of_row, n_groups = np.empty_like(order), int(differs.sum())
    group_of_row[order] = np.cumsum(differs) - 1
    total = np.bincount(group_of_row, weights=weights, minlength=n_groups).astype(np.float64)
    first = order[differs]
    return Groups(tuple(column[first] for column in columns), total, group_of_row)


def thin(groups: Groups, rows: int) -> Groups:
    """At most so many of the rows in place of all, in their order and of the same weight in all.

    Every row is taken as often as one of the points that stand at equal distances of weight from each other falls on
    it: of its share of the weight, rounded up or down, whatever group it is in.
    """
    reached = np.cumsum(groups.weights)
    points = reached[-1] * (np.arange(rows) + 0.5) / rows
    taken, times = np.unique(np.searchsorted(reached, points, side="right"), return_counts=True)
    columns = tuple(column[taken] for column in groups.columns)
    return Groups(columns, times * (reached[-1] / rows), np.arange(taken.size))


@compiled
def _order_by(ranks: Integers, n_ranks: int, order: Integers) -> Integers:
    """The rows in ascending order of their ranks, those of one rank in the order given: counting beats comparing."""
    place = np.zeros(n_ranks + 1, dtype=np.int64)
    for rank in ranks:
        place[rank + 1] += 1
    place = np.cumsum(place)
    sorted_rows = np.empty_like(order)
    for row in order:
        sorted_rows[place[ranks[row]]] = row
        place[ranks[row]] += 1
    return sorted_rows


@compiled
def _mark_changes(ranks: Integers, order: Integers, differs: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> None:
    """Where a row's rank is not that of the row before, in the order given."""
    for i in range(1, order.size):
        if ranks[order[i]] != ranks[order[i - 1]]:
            differs[i] = True
