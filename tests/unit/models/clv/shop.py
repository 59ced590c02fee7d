"""A shop whose truth is known: models with set parameters, customers drawn from them, and what they buy next."""

from __future__ import annotations

import numpy as np
import pandas as pd

from retentioncast.models import BetaGeo, GammaGamma
from retentioncast.models.arrays import Floats


def purchase_model() -> BetaGeo:
    model = BetaGeo()
    model.params_ = {"r": 0.8, "alpha": 6.0, "a": 0.7, "b": 2.5}
    return model


def spend_model() -> GammaGamma:
    model = GammaGamma()
    model.params_ = {"p": 6.0, "q": 4.0, "v": 15.0}
    return model


def shop(n: int, seed: int) -> pd.DataFrame:
    """n customers of 5 to 60 weeks, with `rate`, `dropout`, `alive` and `mean_spend`, which no model may see."""
    ages = np.random.default_rng(seed).integers(5, 61, n).astype(np.float64)
    summary = purchase_model().sample(n, ages, seed + 1)
    spend = spend_model().sample(n, summary["frequency"], seed + 2)
    summary["monetary_value"], summary["mean_spend"] = spend["monetary_value"], spend["mean_spend"]
    summary.index = pd.Index([f"c{i}" for i in range(n)], name="customer_id")
    return summary


def what_happens(summary: pd.DataFrame, weeks: float, discount_rate: float, seed: int) -> Floats:
    """Discounted spend of each customer in the weeks that follow, one order after the other as the models tell it."""
    rng = np.random.default_rng(seed)
    shape = spend_model().params_["p"]
    truth = summary[["alive", "rate", "dropout", "mean_spend"]].itertuples(index=False)
    return np.array([_one_customer(rng, weeks, discount_rate, shape, *row) for row in truth])


def _one_customer(
    rng: np.random.Generator, weeks: float, annual: float, shape: float, alive: bool, rate: float, p: float, mean: float
) -> float:
    total, at = 0.0, rng.exponential(1 / max(rate, 1e-300))
    while alive and at <= weeks:
        total += rng.gamma(shape) * mean / shape * (1 + annual) ** (-at * 7 / 365.25)
        alive = rng.random() >= p
        at += rng.exponential(1 / rate)
    return total
