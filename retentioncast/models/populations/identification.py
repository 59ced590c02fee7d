"""What the data tell and what they do not: the part of each posterior that is still its prior."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from retentioncast.models.arrays import Floats
from retentioncast.models.populations.layout import ROLES, Layout
from retentioncast.models.populations.observed import RUNNING

if TYPE_CHECKING:
    from retentioncast.models.populations.mixture import Observed

#: From this overlap on a parameter counts as not identified: a posterior half as wide as its prior overlaps by 0.68.
NOT_IDENTIFIED = 0.7
_BINS = 20
#: Fewer than this, and the mix is mostly prior.
_FEW = 30


def overlaps(layout: Layout, prior: Floats, posterior: Floats) -> dict[str, float]:
    """The area under the lower of prior and posterior density, for each readable parameter; draws are (n, size)."""
    before, after = layout.readable(prior), layout.readable(posterior)
    found = {
        f"mix.{segment.name}": _overlap(before["mix"][:, k], after["mix"][:, k])
        for k, segment in enumerate(layout.segments)
        if len(layout.segments) > 1
    }
    return found | {slot.name: _overlap(before[slot.name], after[slot.name]) for slot in layout.slots}


def _overlap(prior: Floats, posterior: Floats) -> float:
    """In bins that hold equally many prior draws."""
    edges = np.quantile(prior, np.linspace(0, 1, _BINS + 1))[1:-1]
    counts = [np.bincount(np.searchsorted(edges, each), minlength=_BINS) / each.size for each in (prior, posterior)]
    return float(np.minimum(*counts).sum())


def describe(observed: Observed, overlap: Mapping[str, float]) -> list[str]:
    """Sentences about what these data do not tell."""
    subscriptions, layout = observed.subscriptions, observed.posterior.layout
    notes = [
        f"{name} is not identified: {part:.0%} of its posterior is its prior."
        for name, part in overlap.items()
        if part >= NOT_IDENTIFIED
    ]
    if np.all(subscriptions.outcome == RUNNING):
        notes.insert(0, "Nobody has cancelled yet: the data only say that waiting times are not short.")
    if subscriptions.duration.size < _FEW:
        notes.insert(0, f"Only {subscriptions.duration.size} subscriptions: the result is mostly what was stated.")
    return notes + _held(layout)


def _held(layout: Layout) -> list[str]:
    """Parameters that are given, not inferred."""
    inferred = {(slot.segment, slot.role, slot.position) for slot in layout.slots}
    notes = []
    for index, segment in enumerate(layout.segments):
        for role in ROLES:
            if (distribution := segment.distribution(role)) is None:
                continue
            for position, parameter in enumerate(distribution.family.parameters):
                if (index, role, position) not in inferred:
                    why = "its bounds are given" if parameter.scale == "given" else "no tie in the data shows it"
                    value = distribution.values[position]
                    notes.append(f"{segment.name}.{role}.{parameter.name} is held at {value:g}: {why}.")
    return notes
