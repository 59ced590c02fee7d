"""A hierarchical value that was not fitted but made up, for tests of what comes after the fit."""

from __future__ import annotations

import numpy as np
import pandas as pd

from retentioncast.models.arrays import Floats
from retentioncast.models.clv.config import CLVConfig
from retentioncast.models.clv.hierarchical import HierarchicalCLV
from retentioncast.models.pooling.pooled import Pooled

BUYING, SPEND = np.log([0.6, 6.0, 0.8, 2.5]), np.log([6.0, 4.0, 40.0])


def make_pooled(centre: Floats, names: tuple[str, ...], segments: int, seed: int) -> Pooled:
    """Draws of segments that differ by 0.3 in their logs, each known to 0.05."""
    rng, n, k = np.random.default_rng(seed), 300, centre.size
    own = centre + 0.3 * rng.standard_normal((segments, k))
    mu = centre + 0.1 * rng.standard_normal((n, k))
    theta = own + 0.05 * rng.standard_normal((n, segments, k))
    return Pooled(names, mu, np.full((n, k), 0.3), theta, "psis", 0.3, np.full(segments, 500.0))


def make_value(config: CLVConfig | None = None) -> HierarchicalCLV:
    """Two segments, ads and search."""
    model = HierarchicalCLV(config)
    model.segments_, model.sizes_ = ("ads", "search"), (100, 50)
    model.pooled_ = {
        "purchases": make_pooled(BUYING, ("r", "alpha", "a", "b"), 2, 1),
        "spend": make_pooled(SPEND, ("p", "q", "v"), 2, 2),
    }
    return model


CUSTOMERS = pd.DataFrame(
    {
        "frequency": [3, 0, 5, 0, 2],
        "recency": [20.0, 0.0, 30.0, 0.0, 4.0],
        "T": [25.0, 25.0, 32.0, 0.0, 30.0],
        "monetary_value": [20.0, 0.0, 55.0, 0.0, 31.0],
        "segment": ["ads", "ads", "search", None, "mail"],
    },
    index=pd.Index([11, 12, 13, 14, 15], name="customer_id"),
)
