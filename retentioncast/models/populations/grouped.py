"""Subscriptions as rows with weights: what lies within a day is one row at its mean, what repeats exactly is kept.

Of the first days the cells are narrower: there a density may be infinite at 0, as a Weibull's of shape below 1 is, and
a day's mean would say nothing of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from retentioncast.models.arrays import Floats, Integers
from retentioncast.models.populations.laws import WIDTH
from retentioncast.models.populations.observed import CANCELLED, ENDED, OVER, RUNNING, Subscriptions
from retentioncast.models.populations.segments import Segment

#: Rows stand in this order, so that each function is asked for one stretch of them.
_ORDER = np.array([1, 3, 0, 2])  # the ranks of RUNNING, CANCELLED, ENDED, OVER
#: A duration that so many share to the second is an atom: a constant, or whole periods.
_TIES = 3
_SECOND = 1e-7
#: So close to an atom a row stands for itself: its cell's mean might fall on the atom.
_CLOSE = 8 * WIDTH
#: No cell is wider than this part of its duration: a power of t then changes by less than 0.0005 of itself at the mean.
_RELATIVE = 0.1
#: The share of a value that a segment does not know at all: plans are changed and reasons mistyped.
UNKNOWN_SHARE = 1e-3


@dataclass(frozen=True, slots=True)
class Rows:
    """m rows sorted by outcome. `attributes` (m, K): each segment's log share of what is known of the row."""

    duration: Floats
    outcome: Integers
    weights: Floats
    attributes: Floats
    row_of: Integers

    @property
    def n_customers(self) -> float:
        return float(self.weights.sum())


def group(subscriptions: Subscriptions, segments: Sequence[Segment], resolution: float | None) -> Rows:
    """Rows for these segments; `resolution` in the populations' unit, None: every subscription is its own row.

    A cell's rows at their mean lose only the curvature of the log density within a cell: of 10,000 customers and a
    day, a few hundredths of the log likelihood.
    """
    log_shares, codes = attribute_rows(subscriptions, segments)
    duration = subscriptions.duration
    cells = np.arange(duration.size) if resolution is None else _cells(subscriptions, resolution)
    rank = _ORDER[subscriptions.outcome]
    key = pd.factorize(cells * len(log_shares) + codes)[0] * 4 + rank
    _, first, row_of = np.unique(key, return_index=True, return_inverse=True)
    weights = np.bincount(row_of).astype(np.float64)
    mean = np.bincount(row_of, duration) / weights
    lone = duration[first]
    mean = np.where(np.abs(mean - lone) < _SECOND, lone, mean)
    order = np.lexsort((mean, rank[first]))
    place = np.empty_like(order)
    place[order] = np.arange(order.size)
    return Rows(
        mean[order], subscriptions.outcome[first][order], weights[order], log_shares[codes[first][order]],
        place[row_of],
    )  # fmt: skip


def attribute_rows(subscriptions: Subscriptions, segments: Sequence[Segment]) -> tuple[Floats, Integers]:
    """Distinct rows (c, K) of log shares, and each subscription's (n,). Used is what every segment states."""
    n = subscriptions.duration.size
    total = np.zeros((n, len(segments)))
    for name in used_attributes(subscriptions, segments):
        column = pd.Categorical(subscriptions.attributes[name])
        known = [[segment.shares(name).get(value, 0.0) for segment in segments] for value in column.categories]
        table = np.log(np.maximum(np.array([*known, [1.0] * len(segments)]), UNKNOWN_SHARE))
        counts = (subscriptions.outcome == CANCELLED) if name == "detail" else np.ones(n, dtype=np.bool_)
        total += table[np.where(counts, column.codes, -1)]
    rounded = np.round(total, 9)
    distinct, codes = np.unique(rounded, axis=0, return_inverse=True) if total.any() else (total[:1], np.zeros(n))
    return np.asarray(distinct), codes.astype(np.int64).ravel()


def used_attributes(subscriptions: Subscriptions, segments: Sequence[Segment]) -> list[str]:
    """Attributes that were seen and that every segment states."""
    return [name for name in subscriptions.attributes if all(segment.says(name) for segment in segments)]


def _cells(subscriptions: Subscriptions, resolution: float) -> Integers:
    """A number a day; durations that are shared exactly, or lie close to one, get numbers of their own."""
    duration = subscriptions.duration
    cells = _widening(duration, resolution)
    codes, values = pd.factorize(np.rint(duration / _SECOND).astype(np.int64))
    shared = np.sort(values[np.bincount(codes) >= _TIES] * _SECOND)
    if shared.size == 0:
        return cells
    after = np.minimum(np.searchsorted(shared, duration), shared.size - 1)
    near = np.minimum(np.abs(duration - shared[after]), np.abs(duration - shared[np.maximum(after - 1, 0)]))
    return np.where(near < _CLOSE, cells.max() + 1 + codes, cells)


def _widening(duration: Floats, resolution: float) -> Integers:
    """Cells of `resolution`, and below the duration of which that is a tenth, of a tenth: negative numbers."""
    turn = resolution / _RELATIVE
    early = np.log(np.maximum(duration, _SECOND) / turn) / _RELATIVE
    found: Integers = np.floor(np.where(duration < turn, early, (duration - turn) / resolution)).astype(np.int64)
    return found


def stretches(outcome: Integers) -> dict[str, slice]:
    """Where each function is needed, for rows in the order ENDED, RUNNING, OVER, CANCELLED."""
    counts = np.bincount(outcome, minlength=4)
    ended, running, over = int(counts[ENDED]), int(counts[RUNNING]), int(counts[OVER])
    begin_over = ended + running
    return {
        "ended": slice(0, ended),
        "over": slice(begin_over, begin_over + over),
        "cancel_density": slice(begin_over, outcome.size),
        "cancel_survival": slice(0, begin_over + over),
        "lifetime_survival": slice(ended, outcome.size),
    }
