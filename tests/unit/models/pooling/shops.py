"""Shops of segments that come from one population, for tests."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from retentioncast.models import BetaGeo
from retentioncast.models.arrays import Floats
from retentioncast.models.btyd.grouping import group_rows
from retentioncast.models.btyd.likelihood import Likelihood

MU = np.log([0.6, 6.0, 0.8, 2.5])
TAU = np.array([0.4, 0.4, 0.3, 0.3])


def draw_segments(n: int, seed: int) -> Floats:
    """Logs of the parameters (n, 4) of segments of that population."""
    return MU + TAU * np.random.default_rng(seed).standard_normal((n, 4))


def make_segments(theta: Floats, sizes: Sequence[int], seed: int) -> list[Likelihood]:
    """The likelihood of each segment's customers, some weeks to a year and a half old."""
    return [_segment(theta[i], size, seed * 1000 + i) for i, size in enumerate(sizes)]


def _segment(theta: Floats, size: int, seed: int) -> Likelihood:
    model = BetaGeo()
    model.params_ = dict(zip(model.parameter_names, np.exp(theta).tolist(), strict=True))
    age = np.random.default_rng(seed).integers(10, 80, size).astype(np.float64)
    customers = model.sample(size, age, seed)
    columns = tuple(customers[name].to_numpy(dtype=np.float64) for name in ("frequency", "recency", "T"))
    return BetaGeo()._likelihood(group_rows((columns[0], columns[1], columns[2])))
