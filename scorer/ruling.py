"""What a judgement leaves in `scores.model_runs` and `scores.backtests`."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from retentioncast.models.judging.choice import Choice
from retentioncast.models.judging.gain import Gain
from retentioncast.models.judging.gate import Comparison
from retentioncast.models.judging.judgement import Evidence, Judgement, Score
from scorer.part import Refused


@dataclass(frozen=True, slots=True)
class Ruling:
    """The verdict with its numbers as JSON can hold them, and the measures behind it."""

    told: dict[str, Any]
    scores: tuple[Score, ...] = ()


class NotGoodEnough(Refused):
    """The refit did not pass the gate. The run in force stays."""

    def __init__(self, message: str, next_step: str, ruling: Ruling) -> None:
        super().__init__(message, next_step)
        self.ruling = ruling


def not_backtested(reason: str) -> Ruling:
    """Published without a judgement, and why."""
    return Ruling({"verdict": "not backtested", "reason": reason})


def rule(evidence: Evidence, judgement: Judgement) -> Ruling:
    """The whole judgement."""
    verdict = judgement.verdict
    told = {
        "verdict": "publish" if verdict.publish else "refuse",
        "reason": verdict.reason,
        "origins": len(evidence.cuts),
        "customers": max(cut.size for cut in evidence.cuts),
        **_chosen(evidence.choice),
        "against": {name: _comparison(found) for name, found in judgement.comparisons.items()},
        "not_fitted": evidence.failed,
    }
    return Ruling(told, tuple(judgement.scores))


def _chosen(choice: Choice) -> dict[str, Any]:
    return {
        "weights": choice.weights,
        "stack_gain": _gain(choice.stack_gain),
        "recalibration": None if choice.curve is None else asdict(choice.curve),
        "recalibration_gain": _gain(choice.curve_gain),
        "recalibration_from": choice.curve_from,
    }


def _comparison(found: Comparison) -> dict[str, Any]:
    return {"log_score": _gain(found.log_score), "deviance": _gain(found.deviance)}


def _gain(gain: Gain | None) -> dict[str, float | None] | None:
    """A number that is none (a contender that does not say) is null."""
    if gain is None:
        return None
    return {name: value if math.isfinite(value) else None for name, value in asdict(gain).items()}
