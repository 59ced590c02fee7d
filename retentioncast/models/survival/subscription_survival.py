"""Survival of subscriptions with covariates where they can be told, and without where they cannot."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import pandas as pd
from scipy.special import ndtri

from retentioncast.core.errors import FitFailed
from retentioncast.models.arrays import Floats
from retentioncast.models.stored import SCHEMA_VERSION, NotFitted, content_hash, read_content
from retentioncast.models.survival.baseline import Baseline
from retentioncast.models.survival.covariates import Design, choose_design
from retentioncast.models.survival.cox import fit_cox
from retentioncast.models.survival.kaplan_meier import fit_kaplan_meier
from retentioncast.models.survival.subscription_columns import read_durations, read_events, require_enough

logger = logging.getLogger(__name__)

COVARIATES = ("plan", "billing_period", "channel", "price")
#: Fewer cancellations a coefficient give estimates that do not hold (Peduzzi et al. 1995).
EVENTS_PER_COEFFICIENT = 10


class SubscriptionSurvival:
    """Cox where there are enough cancellations, else Kaplan-Meier; `kind_` says which, `notes_` why.

    After `fit`: `kind_` ("cox" or "kaplan_meier"), `coefficients_` (name to value), `covariance_`, `log_likelihood_`
    (of Cox; else NaN), `notes_`, `n_subscriptions_`, `n_events_`.
    """

    def __init__(self, covariates: Sequence[str] = COVARIATES) -> None:
        self.covariates = tuple(covariates)
        self.kind_ = ""
        self.notes_: tuple[str, ...] = ()
        self.log_likelihood_ = float("nan")
        self.covariance_: Floats = np.empty((0, 0))
        self.n_subscriptions_ = self.n_events_ = 0
        self._coefficients: Floats = np.empty(0)
        self._design = Design(())
        self._baseline: Baseline | None = None

    @property
    def coefficients_(self) -> dict[str, float]:
        """Log hazard ratio by term, such as `price` or `plan=pro` (against the commonest plan)."""
        names = [term.name for term in self._design.terms]
        return dict(zip(names, self._coefficients.tolist(), strict=True))

    def fit(self, frame: pd.DataFrame) -> Self:
        """Fit to a row a subscription: duration_days, event (1 cancelled, 0 goes on) and the covariates.

        Raises InvalidColumn (a ValueError) for bad values, NotEnoughData below 10 subscriptions or without any
        cancellation. Covariates that are constant, collinear or missing are left out with a note.
        """
        days, events = read_durations(frame), read_events(frame)
        require_enough(days, events)
        self.n_subscriptions_, self.n_events_ = days.size, int(events.sum())
        design = choose_design(frame, self.covariates, events)
        self.notes_ = design.notes
        if reason := self._too_few(design) or self._try_cox(design, frame, days, events):
            self._fall_back(reason, days, events)
        logger.info("survival fitted", extra={"action": "fit_survival", "kind": self.kind_, "events": self.n_events_})
        return self

    def _too_few(self, design: Design) -> str:
        if not design.terms:
            return "no covariate to tell subscriptions apart"
        needed = EVENTS_PER_COEFFICIENT * len(design.terms)
        return f"{self.n_events_} cancellations, {needed} needed for Cox" if self.n_events_ < needed else ""

    def _try_cox(self, design: Design, frame: pd.DataFrame, days: Floats, events: Floats) -> str:
        """Fit Cox; the reason if that fails, else nothing."""
        try:
            fit = fit_cox(design.encode(frame), days, events)
        except FitFailed as failure:
            return str(failure)
        self.kind_, self._design, self._baseline = "cox", design, fit.baseline
        self._coefficients, self.covariance_ = fit.coefficients, fit.covariance
        self.log_likelihood_ = fit.log_likelihood
        return ""

    def _fall_back(self, reason: str, days: Floats, events: Floats) -> None:
        self.kind_, self._design, self._baseline = "kaplan_meier", Design(()), fit_kaplan_meier(days, events)
        self._coefficients, self.covariance_ = np.empty(0), np.empty((0, 0))
        self.log_likelihood_ = float("nan")
        self.notes_ = (*self.notes_, f"Kaplan-Meier only: {reason}")

    def conditional_survival(
        self, frame: pd.DataFrame, horizons_days: Sequence[int] = (30, 60, 90), interval: float = 0.8
    ) -> pd.DataFrame:
        """P(still active after each horizon | active at duration_days), for subscriptions that go on, on their index.

        Columns survival_{30,60,90}d, each with _low and _high. The interval is normal on the log of the hazard; where
        the horizon saw no cancellation the lower end is what so many watched subscriptions cannot rule out.
        """
        age, design = read_durations(frame), self._design.encode(frame)
        columns: dict[str, Floats] = {}
        for horizon in horizons_days:
            middle, low, high = self._survival(age, design, float(horizon), interval)
            columns |= {f"survival_{horizon}d": middle}
            columns |= {f"survival_{horizon}d_low": low, f"survival_{horizon}d_high": high}
        return pd.DataFrame(columns, index=frame.index)

    def _survival(self, age: Floats, design: Floats, horizon: float, interval: float) -> tuple[Floats, Floats, Floats]:
        baseline = self._require_baseline()
        ratio = np.exp(design @ self._coefficients)
        hazard, variance = baseline.increase(age, horizon)
        of_ratio = np.einsum("ij,jk,ik->i", design, self.covariance_, design)
        spread = np.sqrt(variance / np.maximum(hazard, 1e-150) ** 2 + of_ratio) * ndtri((1 + interval) / 2)
        not_ruled_out = -np.log((1 - interval) / 2) / baseline.watched(age)
        most = np.where(hazard > 0, hazard * np.exp(np.minimum(spread, 50.0)), not_ruled_out)
        least = hazard * np.exp(-spread)
        return np.exp(-ratio * hazard), np.exp(-ratio * most), np.exp(-ratio * least)

    def _require_baseline(self) -> Baseline:
        if self._baseline is None:
            raise NotFitted("this SubscriptionSurvival was not fitted.", "Call fit, or load it with from_json.")
        return self._baseline

    def to_json(self) -> str:
        """The fitted model as JSON with a schema version and a hash."""
        content: dict[str, Any] = {
            "schema_version": SCHEMA_VERSION,
            "model": type(self).__name__,
            "covariates": list(self.covariates),
            "kind": self.kind_,
            "notes": list(self.notes_),
            "log_likelihood": self.log_likelihood_ if self.kind_ == "cox" else None,
            "coefficients": self._coefficients.tolist(),
            "covariance": self.covariance_.tolist(),
            "n_subscriptions": self.n_subscriptions_,
            "n_events": self.n_events_,
            "design": self._design.to_dict(),
            "baseline": self._require_baseline().to_dict(),
        }
        return json.dumps(content | {"hash": content_hash(content)}, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The model that `to_json` wrote. Raises DamagedModel for another model, version or hash."""
        content = read_content(text, cls.__name__)
        model = cls(content["covariates"])
        model.kind_, model.notes_ = content["kind"], tuple(content["notes"])
        model.log_likelihood_ = float("nan") if content["log_likelihood"] is None else content["log_likelihood"]
        model._coefficients = np.array(content["coefficients"], dtype=np.float64)
        k = model._coefficients.size
        model.covariance_ = np.array(content["covariance"], dtype=np.float64).reshape(k, k)
        model.n_subscriptions_, model.n_events_ = content["n_subscriptions"], content["n_events"]
        model._design = Design.from_dict(content["design"])
        model._baseline = Baseline.from_dict(content["baseline"])
        return model
