"""Finds the constants of the stated segments in the data: durations that many share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from retentioncast.models.arrays import Floats
from retentioncast.models.populations.laws import WIDTH
from retentioncast.models.populations.layout import ROLES
from retentioncast.models.populations.observed import CANCELLED, ENDED, OVER, Subscriptions
from retentioncast.models.populations.segments import Segment

_LEAST = 3
#: A tie stands out when it holds so many times what its neighbourhood of one unit would put there.
_EXCESS = 5.0
#: A constant is looked for within so many prior standard deviations of where it was stated.
_REACH = 3.5
#: Within so many it may lie where nobody has been seen yet.
_LIKELY = 2.0


def find_anchors(subscriptions: Subscriptions, segments: Sequence[Segment]) -> Mapping[tuple[int, str], float]:
    """Where each stated constant was seen, by (segment, role). One that was not is missing: it is held as stated."""
    found: dict[tuple[int, str], float] = {}
    for role in ROLES:
        stated = [
            (d.values[0], index) for index, segment in enumerate(segments)
            if (d := segment.distribution(role)) is not None and d.name == "constant" and d.values[0] > 0
        ]  # fmt: skip
        if stated:
            kind = CANCELLED if role == "cancel" else ENDED
            times = np.sort(subscriptions.duration[np.isin(subscriptions.outcome, (kind, OVER))])
            peaks = _peaks(times, max(10, 3 * len(stated)))
            found |= _assign(sorted(stated), peaks, role, segments)
    return found


def beyond_sight(
    segments: Sequence[Segment], anchors: Mapping[tuple[int, str], float], longest: float
) -> tuple[Segment, ...]:
    """The segments with each constant that nobody shows put behind the longest duration, where none could show it.

    Where that would be far from what was stated, it stays: it is likelier that nobody of the segment is there.
    """
    found = list(segments)
    for index, segment in enumerate(segments):
        for role in ROLES:
            d = segment.distribution(role)
            if d is None or d.name != "constant" or d.values[0] == 0 or (index, role) in anchors:
                continue
            if longest > 0 and 0 <= np.log(longest / d.values[0]) < _LIKELY * segment.prior_sd:
                moved: dict[str, Any] = {f"{role}_dist": d.with_values([longest + 1])}
                found[index] = replace(found[index], **moved)
    return tuple(found)


def _assign(
    stated: list[tuple[float, int]], peaks: list[tuple[int, float]], role: str, segments: Sequence[Segment]
) -> dict[tuple[int, str], float]:
    """The heaviest peaks within reach, in ascending order: constants keep the order in which they were stated."""
    best: list[float] = []
    for _, at in sorted(peaks, reverse=True):
        if len(best) < len(stated) and any(_near(at, value, segments[index]) for value, index in stated):
            best.append(at)
    if len(best) == len(stated):
        pairs = zip(sorted(best), stated, strict=True)
        return {(index, role): at for at, (value, index) in pairs if _near(at, value, segments[index])}
    found: dict[tuple[int, str], float] = {}
    for at in best:
        value, index = min(stated, key=lambda each: abs(np.log(at / each[0])))
        if _near(at, value, segments[index]):
            found.setdefault((index, role), at)
    return found


def _near(at: float, value: float, segment: Segment) -> bool:
    return bool(at > 0 and abs(np.log(at / value)) < _REACH * segment.prior_sd)


def _peaks(times: Floats, most: int) -> list[tuple[int, float]]:
    """(how many, where) of durations that stand out, three widths apart at least."""
    if times.size < _LEAST:
        return []
    low = np.searchsorted(times, times - WIDTH, side="left")
    count = np.searchsorted(times, times + WIDTH, side="right") - low
    around = np.searchsorted(times, times + 0.5) - np.searchsorted(times, times - 0.5) - count
    stands_out = (count >= _LEAST) & (count > _LEAST + _EXCESS * around * 2 * WIDTH)
    found: list[tuple[int, float]] = []
    for i in np.argsort(-count, kind="stable"):
        if len(found) == most:
            break
        if stands_out[i] and all(abs(times[i] - at) > 3 * WIDTH for _, at in found):
            found.append((int(count[i]), float(np.median(times[low[i] : low[i] + count[i]]))))
    return found
