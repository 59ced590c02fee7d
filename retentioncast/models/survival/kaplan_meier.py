"""Kaplan-Meier: survival of all subscriptions alike, as a cumulative hazard with Greenwood's variance."""

from __future__ import annotations

import numpy as np

from retentioncast.models.arrays import Floats
from retentioncast.models.survival.baseline import Baseline, build_baseline


def fit_kaplan_meier(days: Floats, events: Floats) -> Baseline:
    """-log of the product-limit estimate (Kaplan & Meier 1958), variance by Greenwood (1926)."""
    from lifelines import KaplanMeierFitter  # three seconds of import that only a fit should pay

    fitter = KaplanMeierFitter().fit(days, events)
    table = fitter.event_table
    survival = fitter.survival_function_.iloc[:, 0].to_numpy(dtype=np.float64)
    n, d = table["at_risk"].to_numpy(dtype=np.float64), table["observed"].to_numpy(dtype=np.float64)
    ended = survival <= 0  # the last ones at risk all cancelled: half a survivor keeps the hazard finite
    previous = np.concatenate([[1.0], survival[:-1]])
    hazard = np.abs(np.log(np.where(ended, previous * 0.5 / n, survival)))
    variance = np.cumsum(np.where(d > 0, d / (n * np.maximum(n - d, 0.5)), 0.0))
    return build_baseline(table.index.to_numpy(dtype=np.float64), hazard, d, n, variance)
