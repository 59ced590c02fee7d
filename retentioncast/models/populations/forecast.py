"""What becomes of the observed subscriptions: how many stay, and what they pay, with predictive intervals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from retentioncast.models.arrays import Floats
from retentioncast.models.populations.membership import thin
from retentioncast.models.populations.observed import RUNNING
from retentioncast.models.populations.prices import row_prices
from retentioncast.models.populations.survival import log_survival

if TYPE_CHECKING:
    from retentioncast.models.populations.fitting import Draws
    from retentioncast.models.populations.mixture import Observed
    from retentioncast.models.populations.specification import Specification

#: Log of a survival that cannot be told from none.
_GONE = -1e6


def forecast(
    observed: Observed,
    draws: Draws,
    specification: Specification,
    horizons: Sequence[float],
    interval: float,
    n_draws: int,
    seed: int,
) -> pd.DataFrame:
    """metric, horizon, mean, low, high; see `Mixture.forecast`."""
    steps = np.sort(np.asarray(horizons, dtype=np.float64))
    rng, rows = np.random.default_rng(seed), observed.posterior.rows
    prices = row_prices(observed, specification)
    some = thin(draws.flat, n_draws)
    found: dict[str, list[Floats]] = {name: [] for name in ("active", "churned", "mrr", "retention")}
    for u in some:
        active, money = _play(observed, u, steps, prices, rng)
        found["active"].append(active)
        found["churned"].append(rows.n_customers - active)
        found["mrr"].append(money)
        found["retention"].append(_retention(observed, u, steps))
    return pd.concat(
        [_summary(name, steps, np.array(each), interval) for name, each in found.items()], ignore_index=True
    )


def _play(
    observed: Observed, u: Floats, steps: Floats, prices: Floats, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """One possible future: each running row's customers are dealt to segments, then leave step by step."""
    rows, layout = observed.posterior.rows, observed.posterior.layout
    running = rows.outcome == RUNNING
    shares = observed.posterior.segment_shares(u)[running]
    left = rng.multinomial(rows.weights[running].astype(np.int64), shares / shares.sum(axis=1, keepdims=True))
    age, etas = rows.duration[running], layout.etas(u)
    before = np.maximum(log_survival(layout, etas, age), _GONE)
    active, money = np.empty(steps.size), np.empty(steps.size)
    for i, step in enumerate(steps):
        after = np.maximum(log_survival(layout, etas, age + step), _GONE)
        left = rng.binomial(left, np.exp(np.minimum(after - before, 0.0)))
        before = after
        active[i], money[i] = left.sum(), (left * prices[running]).sum()
    return active, money


def _retention(observed: Observed, u: Floats, steps: Floats) -> Floats:
    layout = observed.posterior.layout
    return np.asarray(np.exp(log_survival(layout, layout.etas(u), steps)) @ np.exp(layout.log_mix(u)))


def _summary(name: str, steps: Floats, values: Floats, interval: float) -> pd.DataFrame:
    low, high = np.quantile(values, [(1 - interval) / 2, (1 + interval) / 2], axis=0)
    return pd.DataFrame({"metric": name, "horizon": steps, "mean": values.mean(axis=0), "low": low, "high": high})
