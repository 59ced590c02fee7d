"""Judged before published: chooses family or stack by rolling origins, and lets a refit through the gate, or not."""

from __future__ import annotations

from datetime import UTC, datetime

from retentioncast.core.errors import InvalidInput
from retentioncast.infra.settings import ScorerSettings
from retentioncast.models.btyd.families import FAMILIES
from retentioncast.models.judging.judgement import Evidence, gather_evidence, judge
from retentioncast.models.judging.matured import with_matured
from retentioncast.models.judging.origins import days_needed
from retentioncast.models.judging.purchase_days import PurchaseDays
from retentioncast.models.judging.stack import Stack
from scorer.models import rebuild
from scorer.part import Part
from scorer.purchases import HORIZONS_DAYS
from scorer.ruling import NotGoodEnough, Ruling, not_backtested, rule
from scorer.snapshot import Snapshot

_UNIX = datetime(1970, 1, 1, tzinfo=UTC)


def gather(snapshot: Snapshot, settings: ScorerSettings) -> tuple[Evidence | None, str]:
    """What held out on the snapshot's log of purchase days, or why it was not looked at."""
    if not settings.judging.enabled:
        return None, "scorer.judging.enabled is false."
    if snapshot.stored.pinned_text("purchase"):
        return None, "the models are pinned; whoever pinned them has judged."
    if snapshot.purchase_days is None:
        return None, "the first run is published at once; the next one is judged."
    log = PurchaseDays(snapshot.purchase_days)
    customers = int(snapshot.customers["frequency"].count())
    if customers < settings.min_customers or not log.n_customers:
        return None, "there are too few customers."
    as_of = (snapshot.as_of - _UNIX).days
    evidence = gather_evidence(log, as_of, HORIZONS_DAYS, FAMILIES)
    if evidence is None:
        days, needed = as_of - log.first_day, days_needed(HORIZONS_DAYS)
        return None, f"the log covers {days} days; a backtest needs {needed} and repeat buyers at each origin."
    return with_matured(evidence, snapshot.matured), ""


def pass_gate(snapshot: Snapshot, part: Part, evidence: Evidence | None, why_not: str) -> Ruling:
    """The ruling on a fitted part.

    Raises NotGoodEnough when it must not be published.
    """
    if evidence is None or part.model is None:
        return not_backtested(why_not)
    judgement = judge(evidence, part.model, _in_force(snapshot))
    ruling = rule(evidence, judgement)
    if not judgement.verdict.publish:
        stays = f"Run {snapshot.in_force.run_id} is in force and stays so. " if snapshot.in_force else ""
        raise NotGoodEnough(
            f"{stays}{judgement.verdict.reason}",
            "See scores.backtests; the next run tries again.",
            ruling,
        )
    return ruling


def _in_force(snapshot: Snapshot) -> Stack | None:
    if snapshot.in_force is None:
        return None
    try:
        return rebuild(snapshot.in_force.members, snapshot.in_force.recalibration, FAMILIES)
    except InvalidInput:
        return None
