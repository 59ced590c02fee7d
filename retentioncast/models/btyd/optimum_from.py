"""A search that begins where the last one ended, and does not believe it blindly."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from retentioncast.core.errors import FitFailed
from retentioncast.models.arrays import Floats
from retentioncast.models.btyd.optimum import LogLikelihood, Optimum, maximise

#: A maximum farther from the last one than this (in logs: a factor of 4.5) may be another hill: all starts are tried.
FARTHEST_MOVE = 1.5


def maximise_from(
    last: Floats | None,
    objective: LogLikelihood,
    starts: Sequence[Floats],
    names: tuple[str, ...],
    n: float,
    rehearsal: LogLikelihood | None = None,
) -> tuple[Optimum, str]:
    """The maximum near the last one, else the best from all starts; and a note of which it was ("" without a last)."""
    if last is None:
        return maximise(objective, starts, names, n, rehearsal), ""
    try:
        near = maximise(objective, [last], names, n, rehearsal)
    except FitFailed:
        return maximise(objective, starts, names, n, rehearsal), "the last maximum led nowhere; all starts were tried"
    if np.abs(near.log_parameters - last).max() <= FARTHEST_MOVE:
        return near, "the maximum was found from the last one"
    best = maximise(objective, [last, *starts], names, n, rehearsal)
    return best, "the maximum moved far from the last one; all starts were tried"
