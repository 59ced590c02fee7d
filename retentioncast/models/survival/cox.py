"""Cox: how plan, price and the like raise or lower the hazard, over a common baseline (Cox 1972; Efron's ties)."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd

from retentioncast.core.errors import FitFailed
from retentioncast.models.arrays import Floats
from retentioncast.models.survival.baseline import Baseline, build_baseline


@dataclass(frozen=True, slots=True, eq=False)
class CoxFit:
    """Coefficients (k,) in the covariates' own units, their covariance (k, k), the baseline at the average customer."""

    coefficients: Floats
    covariance: Floats
    log_likelihood: float
    baseline: Baseline


def fit_cox(design: Floats, days: Floats, events: Floats) -> CoxFit:
    """Fit to centred columns (n, k). Raises FitFailed when the partial likelihood has no maximum."""
    from lifelines import CoxPHFitter  # three seconds of import that only a fit should pay
    from lifelines.exceptions import ConvergenceError, ConvergenceWarning

    frame = pd.DataFrame(design).add_prefix("x").assign(days=days, event=events)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.simplefilter("error", ConvergenceWarning)
        try:
            fitter = CoxPHFitter().fit(frame, "days", "event")
        except (ConvergenceError, ConvergenceWarning, np.linalg.LinAlgError, ValueError) as error:
            raise FitFailed(f"Cox found no maximum: {str(error).splitlines()[0]}", "Use fewer covariates.") from error
    coefficients = fitter.params_.to_numpy(dtype=np.float64)
    baseline = _baseline(fitter.baseline_cumulative_hazard_, days, events)
    return CoxFit(coefficients, fitter.variance_matrix_.to_numpy(), float(fitter.log_likelihood_), baseline)


def _baseline(steps: pd.DataFrame, days: Floats, events: Floats) -> Baseline:
    at = steps.index.to_numpy(dtype=np.float64)
    hazard = steps.iloc[:, 0].to_numpy(dtype=np.float64)
    at_risk = days.size - np.searchsorted(np.sort(days), at, side="left").astype(np.float64)
    cancelled = np.sort(days[events > 0])
    d = np.searchsorted(cancelled, at, side="right") - np.searchsorted(cancelled, at, side="left")
    increments = np.diff(hazard, prepend=0.0)
    variance = np.cumsum(np.where(d > 0, increments**2 / np.maximum(d, 1), 0.0))
    return build_baseline(at, hazard, d.astype(np.float64), at_risk, variance)
