"""From what the three watchers saw to delays: commit to seen by a bare consumer, commit to visible in our tables."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

#: The shares at which a distribution is kept.
SHARES = (*np.round(np.arange(0.01, 1.0, 0.01), 2).tolist(), 0.995, 0.999)

type Commits = Sequence[tuple[int, float]]
type Seen = Sequence[tuple[int, int, int, float]]
type Progress = Sequence[tuple[float, int, int]]


def delays_ms(commits: Commits, seen: Seen, progress: Progress) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Of each commit: ms until the bare consumer saw it, ms until it was visible. ValueError when one was never."""
    messages = {key: (partition, offset, when) for key, partition, offset, when in seen}
    steps = _steps(progress)
    bare, ours = [], []
    for key, committed in commits:
        if key not in messages:
            raise ValueError(f"transaction {key} never came to the bare consumer")
        partition, offset, when = messages[key]
        bare.append(1000 * (when - committed))
        ours.append(1000 * (visible_at(steps[partition], offset) - committed))
    return np.array(bare), np.array(ours)


def _steps(progress: Progress) -> dict[int, tuple[list[int], list[float]]]:
    """By partition: the next offsets that were seen, rising, and when each was first seen."""
    steps: dict[int, tuple[list[int], list[float]]] = {}
    for when, partition, next_offset in progress:
        offsets, times = steps.setdefault(partition, ([], []))
        offsets.append(next_offset)
        times.append(when)
    return steps


def visible_at(steps: tuple[list[int], list[float]], offset: int) -> float:
    """When the tables were first seen to include this offset."""
    offsets, times = steps
    place = bisect_right(offsets, offset)
    if place == len(offsets):
        raise ValueError(f"offset {offset} was never applied")
    return times[place]


def quantiles(delays: NDArray[np.float64]) -> list[float]:
    """At SHARES, in ms."""
    return [round(float(value), 3) for value in np.quantile(delays, SHARES)]
