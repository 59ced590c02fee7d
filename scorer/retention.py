"""The cells of the retention triangle that nobody has lived yet: sBG over all months' subscribers, by month."""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from retentioncast.core.errors import NotEnoughData, RetentionCastError
from retentioncast.infra.settings import ScorerSettings
from retentioncast.models import ShiftedBetaGeometric
from retentioncast.models.subscription.cohorts import forecast_cohorts, renewals_of_standing

logger = logging.getLogger(__name__)

#: What `retention.standing` gives: see `forecast_cohorts`. cohort is the first day of the month.
STANDING = ["cohort", "faced", "periods", "active", "elapsed", "customers", "seen"]
#: The triangle reaches as many months as the oldest cohort has been seen, but not fewer or more than these.
FEWEST_MONTHS, MOST_MONTHS = 12, 120
_DRAWS = 1000


@dataclass(frozen=True, slots=True, eq=False)
class Retention:
    """The forecast (rows of scores.retention_forecast without the run), what was fitted, what the run should tell."""

    forecast: pd.DataFrame = field(default_factory=pd.DataFrame)
    parameters: dict[str, Any] | None = None
    notes: tuple[str, ...] = ()


def forecast_retention(standing: pd.DataFrame, settings: ScorerSettings) -> Retention:
    """The forecast, or none and the reason: the scores do not wait for it, and what was observed is there anyway."""
    if standing.empty:
        return Retention()
    try:
        return _forecast(standing, settings)
    except RetentionCastError as error:
        logger.warning("Retention: %s", error, extra={"action": "fit"})
        return Retention(notes=(f"Retention not forecast: {error}",))
    except Exception as error:
        logger.exception("Retention could not be forecast.", extra={"action": "fit"})
        return Retention(notes=(f"Retention not forecast: {type(error).__name__}: {error}. See the scorer's log.",))


def _forecast(standing: pd.DataFrame, settings: ScorerSettings) -> Retention:
    periods, lost, weights = renewals_of_standing(standing)
    model = ShiftedBetaGeometric().fit(periods, lost, weights, method="laplace", seed=settings.seed)
    if model.prior_only_ or model.posterior_ is None:
        raise NotEnoughData(f"{'; '.join(model.notes_)}.", "Wait for more subscriptions.")
    months = min(max(int(standing["seen"].max()), FEWEST_MONTHS), MOST_MONTHS)
    draws = model.draw_parameters(_DRAWS, settings.seed)
    forecast = forecast_cohorts(model, standing, months, draws, settings.interval, settings.seed)
    return Retention(forecast, _describe(model))


def _describe(model: ShiftedBetaGeometric) -> dict[str, Any]:
    """What `scores.model_runs` keeps of the fitted model."""
    assert model.posterior_ is not None
    k = model.posterior_.pareto_k
    return {
        "model": "sBG",
        "parameters": model.params_,
        "standard_errors": model.standard_errors_,
        "log_likelihood": model.log_likelihood_,
        "n_subscriptions": model.n_customers_,
        "n_groups": model.n_groups_,
        "time_unit": "month",
        "notes": list(model.notes_),
        "draws_from": model.posterior_.source,
        "pareto_k": k if math.isfinite(k) else None,
    }
