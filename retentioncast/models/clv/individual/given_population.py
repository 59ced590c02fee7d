"""Customers' effects given draws of the population: exact, some customers at a time, whether NUTS saw them or not.

Given the parameters of the segment a customer's effects depend on its own row alone, and are known in closed form
(Fader, Hardie & Lee 2005 for BG/NBD, Fader & Hardie 2013 for Gamma-Gamma):

    alive with P(alive);  lambda ~ Gamma(r + x, alpha + T), p ~ Beta(a, b + x)          where it is still there
                          lambda ~ Gamma(r + x, alpha + t_x), p ~ Beta(a + 1, b + x - 1)  where it has gone
    nu ~ Gamma(q + p x, v + x m), and the mean of its orders is p / nu
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from retentioncast.models.arrays import Floats
from retentioncast.models.btyd.beta_geo import BetaGeo
from retentioncast.models.clv.predictive import tail_probabilities

#: What is told of each customer's effects, each with the bounds of 80 %.
INTERVAL = 0.8
EFFECTS = ("purchase_rate", "dropout", "mean_spend")
COLUMNS = ("probability_alive", *(f"{name}{end}" for name in EFFECTS for end in ("", "_low_80", "_high_80")))


def draw_effects(
    rows: tuple[Floats, ...], of_purchases: Floats, of_spend: Floats, rng: np.random.Generator
) -> tuple[dict[str, Floats], Floats]:
    """A draw of each effect and P(alive) (d, m) of customers (x, t_x, T, m), for d draws of the parameters (d, k)."""
    x, t_x, age, m = rows
    r, alpha, a, b = (column[:, None] for column in of_purchases.T)
    p, q, v = (column[:, None] for column in of_spend.T)
    probability = BetaGeo().probability_alive(x, t_x, age, of_purchases)
    gone = rng.random(probability.shape) >= probability
    rate = rng.gamma(r + x) / (alpha + np.where(gone, t_x, age))
    dropout = rng.beta(a + gone, b + x - gone)
    nu = rng.gamma(q + p * x) / (v + x * m)
    return {"purchase_rate": rate, "dropout": dropout, "mean_spend": p / nu}, probability


def tell_effects(effects: Mapping[str, Floats], alive: Floats | None = None) -> pd.DataFrame:
    """A row a customer from effects and P(alive) (d, m): means, and the bounds of 80 %.

    Of spend it is the median: the mean of a ratio to a Gamma need not be finite.
    """
    told = {} if alive is None else {"probability_alive": alive.mean(axis=0)}
    low, high = tail_probabilities(INTERVAL)
    for name, draws in effects.items():
        below, middle, above = np.quantile(draws, (low, 0.5, high), axis=0)
        told[name] = middle if name == "mean_spend" else draws.mean(axis=0)
        told |= {f"{name}_low_80": below, f"{name}_high_80": above}
    return pd.DataFrame(told)
