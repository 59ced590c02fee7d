"""A made-up shop whose customers follow BG/NBD exactly: what a good family must be found good on."""

from __future__ import annotations

import numpy as np
import pandas as pd

TRUTH = {"r": 0.6, "alpha": 5.0, "a": 0.8, "b": 3.0}


def purchase_log(
    customers: int, days: int, seed: int, rate: float = 1.0, change_day: int | None = None, change: float = 1.0
) -> pd.DataFrame:
    """customer_id, day, amount of customers who came evenly over the first half; from `change_day` on rates change."""
    rng = np.random.default_rng(seed)
    first = rng.integers(0, days // 2, customers)
    per_day = rng.gamma(TRUTH["r"], rate / TRUTH["alpha"], customers) / 7
    leaves = np.clip(rng.beta(TRUTH["a"], TRUTH["b"], customers), 1e-9, 1.0)
    lasts = rng.geometric(leaves)
    factor = np.ones((days,)) if change_day is None else np.where(np.arange(days) < change_day, 1.0, change)
    wanted = rng.random((customers, days)) < -np.expm1(-per_day[:, None] * factor)
    wanted &= np.arange(days) > first[:, None]
    wanted &= np.cumsum(wanted, axis=1) <= lasts[:, None]
    wanted[np.arange(customers), first] = True
    customer, day = np.nonzero(wanted)
    return pd.DataFrame({"customer_id": customer + 1, "day": day, "amount": rng.gamma(6.0, 5.0, day.size)})
