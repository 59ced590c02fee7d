"""The gate: whether a refit may take the place of the run in force, with the numbers that say why."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from retentioncast.models.arrays import Floats, Integers
from retentioncast.models.judging.gain import Gain, paired_gain
from retentioncast.models.judging.measures import deviances, log_scores
from retentioncast.models.judging.told import Window

#: A loss is clear beyond so many standard errors (1 in 200 by chance) ...
CLEAR = 2.6
#: ... and matters from here on: 0.002 nats a prediction, or 1 percent of the deviance.
MATERIAL_LOG_SCORE = 0.002
MATERIAL_DEVIANCE = 0.01


@dataclass(frozen=True, slots=True)
class Comparison:
    """A contender against another on the same windows: gains in log score, and in deviance as a share of the other's.

    Above 0 the first is better.
    """

    log_score: Gain
    deviance: Gain

    @property
    def is_worse(self) -> bool:
        """Clearly worse in what it says of buying at all, or of how often."""
        return self.log_score.is_clear_loss(CLEAR, MATERIAL_LOG_SCORE) or self.deviance.is_clear_loss(
            CLEAR, MATERIAL_DEVIANCE
        )

    @property
    def is_better(self) -> bool:
        """Clearly better in one and not worse in the other."""
        gains = self.log_score.is_clear(CLEAR, MATERIAL_LOG_SCORE) or self.deviance.is_clear(CLEAR, MATERIAL_DEVIANCE)
        return gains and not self.is_worse


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether to publish, and why, in a sentence."""

    publish: bool
    reason: str


def compare(windows: list[Window], contender: str, other: str) -> Comparison:
    """Both contenders over all windows in which both have told."""
    shared = [window for window in windows if contender in window.told and other in window.told]
    customer = np.concatenate([window.customer for window in shared])
    logs = [_columns(shared, name, _log_scores) for name in (contender, other)]
    losses = [_columns(shared, name, _deviances) for name in (contender, other)]
    deviance = _gain(-losses[0], -losses[1], customer)
    scale = float(np.nanmean(losses[1])) if deviance.error else 1.0
    return Comparison(_gain(logs[0], logs[1], customer), Gain(deviance.mean / scale, deviance.error / scale))


def decide(against_force: Comparison | None, against_base: Comparison | None) -> Verdict:
    """The rule.

    1. Clearly worse than the run in force on the newest windows: refused.
    2. Clearly worse than the base rate, and not clearly better than the run in force: refused.
    3. Else published.
    """
    if against_force is not None and against_force.is_worse:
        return Verdict(False, f"The refit is clearly worse than the run in force: {describe(against_force)}.")
    rescued = against_force is not None and against_force.is_better
    if against_base is not None and against_base.log_score.is_clear_loss(CLEAR, MATERIAL_LOG_SCORE) and not rescued:
        return Verdict(False, f"The refit is clearly worse than the base rate: {describe(against_base)}.")
    if against_force is None:
        return Verdict(True, "Nothing is in force to compare with.")
    word = "clearly better than" if rescued else "as good as"
    return Verdict(True, f"The refit is {word} the run in force: {describe(against_force)}.")


def describe(found: Comparison) -> str:
    """The numbers of a comparison, with their standard errors."""
    log, deviance = found.log_score, found.deviance
    return (
        f"log score {log.mean:+.4f} (s.e. {log.error:.4f}) a prediction, "
        f"deviance {-100 * deviance.mean:+.1f} % (s.e. {100 * deviance.error:.1f})"
    )


def _columns(windows: list[Window], name: str, of: object) -> Floats:
    return np.concatenate([of(window, name) for window in windows])  # type: ignore[operator]


def _log_scores(window: Window, name: str) -> Floats:
    return log_scores(window.told[name].no_purchase, window.none)


def _deviances(window: Window, name: str) -> Floats:
    return deviances(window.told[name].expected, window.happened)


def _gain(better: Floats, base: Floats, customer: Integers) -> Gain:
    said = ~(np.isnan(better) | np.isnan(base))
    return paired_gain(better[said], base[said], customer[said]) if said.any() else Gain(0.0, 0.0)
