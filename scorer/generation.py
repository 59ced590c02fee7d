"""From a snapshot to one whole generation of scores; each part is fitted by itself, so that none spoils the other."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from retentioncast.core.errors import FitFailed, NotEnoughData, RetentionCastError
from retentioncast.infra.settings import ScorerSettings
from retentioncast.models.btyd.leaving_curves import LeavingCurves
from retentioncast.models.judging.judgement import Evidence
from retentioncast.models.judging.recalibration import Curve
from scorer.gate import require_sense
from scorer.judge import gather, pass_gate
from scorer.part import Member, Part, Refused, Storable
from scorer.purchases import UNJUDGED, score_purchases
from scorer.retention import forecast_retention
from scorer.ruling import Ruling, not_backtested
from scorer.snapshot import InForce, Snapshot
from scorer.subscriptions import score_subscriptions

logger = logging.getLogger(__name__)

SCHEMA_VERSION = 1
INACTIVE_DAYS = (30, 60, 90)


@dataclass(frozen=True, slots=True, eq=False)
class Generation:
    """Everything of one run that readers may see: scores by customer_id (NaN: nothing to say), parameters, notes, and
    the stack of models with its recalibration that tells the risk at other times."""

    scores: pd.DataFrame
    parameters: dict[str, Any]
    notes: tuple[str, ...]
    log_likelihood: float | None
    members: tuple[Member, ...] = ()
    recalibration: Curve | None = None
    leaving: tuple[LeavingCurves | None, ...] = ()
    retention: pd.DataFrame = field(default_factory=pd.DataFrame)
    models: Mapping[str, Storable] = field(default_factory=dict)
    ruling: Ruling = field(default_factory=lambda: not_backtested("there is nothing to judge."))
    uncalibrated: pd.DataFrame | None = None


@dataclass(frozen=True, slots=True, eq=False)
class _Attempt:
    part: Part | None = None
    error: RetentionCastError | None = None


def make_generation(snapshot: Snapshot, settings: ScorerSettings) -> Generation:
    """Fit and score all parts.

    Raises:
        Refused: a part that the scores in force hold could not be fitted, or the new scores make no sense.
        NotEnoughData, FitFailed: there is nothing to publish at all.
    """
    if snapshot.customers.empty and snapshot.subscriptions.empty:
        raise NotEnoughData(
            f"There is no order and no subscription up to {snapshot.as_of}.", "Wait for the first ones."
        )
    evidence, why_not = _evidence(snapshot, settings)
    purchases = _attempt("Repeat buying", lambda: _score_purchases(snapshot, settings, evidence))
    subscriptions, rows = _Attempt(), snapshot.subscriptions
    if len(rows):
        subscriptions = _attempt("Subscriptions", lambda: score_subscriptions(rows, settings, snapshot.stored))
    _require_parts(purchases, subscriptions, snapshot.in_force)
    generation = _with_retention(_put_together(snapshot, purchases, subscriptions), snapshot, settings)
    require_sense(generation.scores, generation.parameters)
    if purchases.part is None:
        return generation
    return _ruled(generation, pass_gate(snapshot, purchases.part, evidence, why_not))


def _evidence(snapshot: Snapshot, settings: ScorerSettings) -> tuple[Evidence | None, str]:
    """What the backtest found; that it went wrong must not stop a shop from getting scores."""
    try:
        return gather(snapshot, settings)
    except Exception as error:
        logger.exception("The backtest went wrong.", extra={"action": "judge"})
        return None, f"the backtest went wrong ({type(error).__name__}: {error}); see the scorer's log."


def _score_purchases(snapshot: Snapshot, settings: ScorerSettings, evidence: Evidence | None) -> Part:
    choice = evidence.choice if evidence else None
    weights, curve = (choice.weights, choice.curve) if choice else (UNJUDGED, None)
    return score_purchases(snapshot.customers, settings, weights, curve, snapshot.stored)


def _ruled(generation: Generation, ruling: Ruling) -> Generation:
    """The generation with what was ruled, and a note where that was nothing."""
    told = ruling.told
    unjudged = told["verdict"] == "not backtested"
    notes = (*generation.notes, f"Not backtested: {told['reason']}") if unjudged else generation.notes
    return replace(generation, ruling=ruling, notes=notes, parameters={**generation.parameters, "judgement": told})


def _attempt(name: str, fit: Callable[[], Part]) -> _Attempt:
    try:
        return _Attempt(part=fit())
    except RetentionCastError as error:
        logger.warning("%s: %s", name, error, extra={"action": "fit"})
        return _Attempt(error=error)
    except Exception as error:
        logger.exception("%s could not be fitted.", name, extra={"action": "fit"})
        told = FitFailed(f"{type(error).__name__}: {error}.", "See the scorer's log, and report it.")
        return _Attempt(error=told)


def _require_parts(purchases: _Attempt, subscriptions: _Attempt, in_force: InForce | None) -> None:
    if purchases.error is not None and subscriptions.part is None:
        raise purchases.error
    if in_force is None:
        return
    lost = _what_would_be_lost(purchases, in_force)
    if lost:
        raise Refused(f"Run {in_force.run_id} is in force and stays so: {lost}", "The next run tries again.")


def _what_would_be_lost(purchases: _Attempt, in_force: InForce) -> str:
    if purchases.part is None and in_force.has_purchases:
        return f"repeat buying could not be scored. {purchases.error}"
    if purchases.part is not None and in_force.has_money and not purchases.part.has_money:
        return " ".join(purchases.part.notes)
    return ""


def _put_together(snapshot: Snapshot, purchases: _Attempt, subscriptions: _Attempt) -> Generation:
    parts = [attempt.part for attempt in (purchases, subscriptions) if attempt.part is not None]
    scores = pd.concat([inactive(snapshot.customers), *(part.scores for part in parts)], axis=1).sort_index()
    parameters: dict[str, Any] = {"purchase": None, "spend": None, "subscription": None}
    for part in parts:
        parameters |= part.parameters
    parameters["schema_version"] = SCHEMA_VERSION
    notes = [*snapshot.stored.notes, *(note for part in parts for note in part.notes)]
    for name, attempt in (("Repeat buying", purchases), ("Subscriptions", subscriptions)):
        if attempt.error is not None:
            notes.append(f"{name} not scored: {attempt.error}")
    buying = purchases.part or Part(pd.DataFrame(), {})
    models = {name: model for part in parts for name, model in part.models.items()}
    return Generation(
        scores,
        parameters,
        tuple(notes),
        buying.log_likelihood,
        buying.members,
        buying.recalibration,
        buying.leaving,
        models=models,
        uncalibrated=buying.uncalibrated,
    )


def _with_retention(generation: Generation, snapshot: Snapshot, settings: ScorerSettings) -> Generation:
    found = forecast_retention(snapshot.standing, settings)
    parameters = generation.parameters | {"retention": found.parameters}
    return replace(generation, retention=found.forecast, parameters=parameters, notes=(*generation.notes, *found.notes))


def inactive(customers: pd.DataFrame) -> pd.DataFrame:
    """The business rule: 1 where the latest order, of whatever kind, is more than so many days ago, else 0."""
    days = customers["days_since_order"].to_numpy(dtype=np.float64)
    columns = {f"inactive_{limit}d": (days > limit).astype(np.float64) for limit in INACTIVE_DAYS}
    return pd.DataFrame(columns, index=customers.index)
