"""How long each segment's subscriptions last, at given parameters."""

from __future__ import annotations

import numpy as np

from retentioncast.models.arrays import Floats
from retentioncast.models.populations.laws import WIDTH
from retentioncast.models.populations.layout import ROLES, Layout


def log_survival(layout: Layout, etas: Floats, t: Floats) -> Floats:
    """log P(neither cancelled nor ended by t) for each segment, (n, K)."""
    found = np.zeros((t.size, len(layout.segments)))
    for k, segment in enumerate(layout.segments):
        for role in ROLES:
            distribution = segment.distribution(role)
            if distribution is not None:
                # What falls on this very moment has happened, whatever the last digit of an inferred constant.
                passed = t + WIDTH if distribution.family.has_atoms else t
                found[:, k] += distribution.with_values(layout.values(etas, k, role)).log_sf(passed)
    return found
