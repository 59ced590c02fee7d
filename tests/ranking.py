"""How well a score ranks, for tests that compare it with the truth."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd


def auc(score: Any, positive: Any) -> float:
    """The chance that one of the positive is ranked above one of the others."""
    ranks = pd.Series(np.asarray(score)).rank().to_numpy()
    inside = np.asarray(positive)
    n, m = inside.sum(), (~inside).sum()
    return float((ranks[inside].sum() - n * (n + 1) / 2) / (n * m))
