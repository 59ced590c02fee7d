"""Which segments could change places, and what keeps each in its own."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from retentioncast.core.errors import InvalidInput
from retentioncast.models.populations.layout import ROLES, to_eta
from retentioncast.models.populations.segments import Segment

#: Two stated parameters that differ by less (on their own scale) are the same to any data.
_SAME = 0.05


class CannotTellApart(InvalidInput, ValueError):
    """Two populations have the same distributions and nothing else tells them apart. Merge them, or say what does."""


def order_segments(segments: Sequence[Segment], attributes: Sequence[str]) -> list[tuple[int, int, str]]:
    """(earlier, later, role) for neighbours among segments of the same distributions. Raises CannotTellApart."""
    found: list[tuple[int, int, str]] = []
    left = list(range(len(segments)))
    while left:
        alike = [left[0], *(j for j in left[1:] if _alike(segments[left[0]], segments[j], attributes))]
        left = [j for j in left if j not in alike]
        found += _chain(segments, alike)
    return found


def _chain(segments: Sequence[Segment], alike: Sequence[int]) -> list[tuple[int, int, str]]:
    if len(alike) < 2:
        return []
    for role in ROLES:
        places = [_place(segments[index], role) for index in alike]
        if all(place is not None for place in places):
            ranked = sorted(zip(places, alike, strict=True), key=lambda pair: (pair[0] or 0.0, pair[1]))
            gaps = np.diff([place or 0.0 for place, _ in ranked])
            if np.all(gaps >= _SAME):
                return [(a, b, role) for (_, a), (_, b) in pairwise(ranked)]
    _refuse_same(segments, alike)
    return []


def _refuse_same(segments: Sequence[Segment], alike: Sequence[int]) -> None:
    for position, i in enumerate(alike):
        for j in alike[position + 1 :]:
            pairs = [(segments[i].distribution(role), segments[j].distribution(role)) for role in ROLES]
            values = [(a.values, b.values) for a, b in pairs if a is not None and b is not None]
            if all(np.allclose(a, b, rtol=_SAME, atol=0) for a, b in values):
                raise CannotTellApart(
                    f"populations {segments[i].name!r} and {segments[j].name!r} have the same distributions, and "
                    "nothing else tells them apart.",
                    "Merge them, or give each its own plan, channel or reasons and observe them.",
                )


def _alike(one: Segment, other: Segment, attributes: Sequence[str]) -> bool:
    """The same families in both roles, and no attribute that was seen keeps them apart."""
    for name in attributes:
        if name != "detail" and not set(one.shares(name)) & set(other.shares(name)):
            return False
    families = [[d.name if (d := s.distribution(role)) else None for role in ROLES] for s in (one, other)]
    return families[0] == families[1]


def _place(segment: Segment, role: str) -> float | None:
    """Where the distribution lies, larger is later; None where it has no such parameter."""
    distribution = segment.distribution(role)
    if distribution is None or distribution.family.location is None:
        return None
    position, sign = distribution.family.location
    scale = distribution.family.parameters[position].scale
    return sign * to_eta(scale, distribution.values[position])
