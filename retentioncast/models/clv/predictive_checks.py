"""Posterior predictive checks: would shops drawn from the fitted model look like the one that was seen?

Gelman, Meng & Stern (1996), "Posterior predictive assessment of model fitness", Statistica Sinica 6.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from retentioncast.models.arrays import Floats
from retentioncast.models.clv.hierarchical import HierarchicalCLV

#: What of a segment's frequencies is compared.
STATISTICS: dict[str, Callable[[Floats], float]] = {
    "one-time buyers, share": lambda x: float((x == 0).mean()),
    "repeat purchases, mean": lambda x: float(x.mean()),
    "repeat purchases, spread": lambda x: float(x.std()),
}


def check_predictions(model: HierarchicalCLV, summary: pd.DataFrame, draws: int = 100, seed: int = 0) -> pd.DataFrame:
    """A row a segment and statistic: what was seen, what customers of the same ages would have shown in `draws` shops
    drawn from the posterior (mean, low and high of 95 %), and the share of these at or above what was seen (`p`; near 0
    or 1: the model does not tell this segment).
    """
    rows = []
    for index, name in enumerate(model.segments_):
        part = summary[summary["segment"].astype(str) == name]
        seen, age = part["frequency"].to_numpy(dtype=np.float64), part["T"].to_numpy(dtype=np.float64)
        shops = _replicates(model, index, age, draws, seed)
        for statistic, of in STATISTICS.items():
            drawn, real = np.array([of(shop) for shop in shops]), of(seen)
            low, high = np.quantile(drawn, (0.025, 0.975))
            # A tie counts half: counts of few customers are often equal.
            p = float((drawn > real).mean() + 0.5 * (drawn == real).mean())
            rows.append((name, statistic, real, float(drawn.mean()), float(low), float(high), p))
    return pd.DataFrame(rows, columns=["segment", "statistic", "seen", "mean", "low", "high", "p"])


def _replicates(model: HierarchicalCLV, index: int, age: Floats, draws: int, seed: int) -> list[Floats]:
    """Frequencies (customers,) of shops of the same customers, one for each of some draws."""
    parameters = model.pooled_["purchases"].of_segment(index)
    places = np.linspace(0, len(parameters) - 1, draws).astype(np.int64)
    return [
        model.twin(parameters[place], age, seed * 100_003 + index * draws + number)["frequency"].to_numpy(np.float64)
        for number, place in enumerate(places)
    ]
