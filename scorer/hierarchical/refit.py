"""One refit of segment values: read, fit, check, publish; or leave the last values and say why."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np

from retentioncast.core.clock import Clock
from retentioncast.core.errors import RetentionCastError
from retentioncast.infra.settings import ScorerSettings, SegmentsSettings
from retentioncast.models.clv.config import CLVConfig
from retentioncast.models.clv.hierarchical import HierarchicalCLV
from retentioncast.models.clv.predictive import Futures
from retentioncast.models.clv.segment_value import Valued
from retentioncast.models.clv.tuning import AutoTuner, Tuned
from scorer.hierarchical.store import Population, SegmentSnapshot
from scorer.part import Refused, status_of
from scorer.runs import Run

logger = logging.getLogger(__name__)

#: Where NUTS has to step in, it begins with this; the tuner takes more where that is too little.
CONFIG = CLVConfig(num_samples=500, num_tune=500)


class Store(Protocol):
    """Where snapshots come from and values go; see `scorer.hierarchical.store.SegmentStore`."""

    def read(self, by: SegmentsSettings) -> SegmentSnapshot: ...

    def publish(self, run: Run, valued: Valued, elapsed_s: Callable[[], float]) -> Run: ...

    def record(self, run: Run) -> Run: ...


@dataclass(frozen=True, slots=True)
class Refit:
    """What every refit needs beside the store."""

    settings: ScorerSettings
    clock: Clock
    code_version: str
    config: CLVConfig = CONFIG

    def run(self, store: Store) -> Run:
        """Whatever goes wrong leaves the last values in force. Raises Retry when not even that can be written down."""
        begun = self.clock.monotonic_s()
        run = Run(self.clock.now(), self.code_version)

        def elapsed_s() -> float:
            return self.clock.monotonic_s() - begun

        try:
            snapshot = store.read(self.settings.segments)
            run = replace(
                run, as_of=snapshot.as_of, data_from=snapshot.data_from, data_to=snapshot.data_to,
                customers=len(snapshot.customers),
            )  # fmt: skip
            model, tuned = self._fit(snapshot)
            run = replace(run, parameters=_parameters(model, tuned, self.settings))
            if not tuned.passed:
                raise Refused(f"Segment values did not pass: {tuned.reason}.", "The last ones stay in force.")
            valued = model.value(snapshot.customers, _asked(self.settings))
            run = replace(run, status="published", reason=_reason(model, self.settings))
            done = store.publish(run, valued, elapsed_s)
        except RetentionCastError as error:
            done = store.record(replace(run, status=status_of(error), reason=str(error), duration_s=elapsed_s()))
        except Exception as error:
            logger.exception("A refit of segment values failed.", extra={"action": "refit segments"})
            reason = f"{type(error).__name__}: {error}. See the scorer's log, and report it."
            done = store.record(replace(run, status="failed", reason=reason, duration_s=elapsed_s()))
        level = logging.INFO if done.status == "published" else logging.WARNING
        logger.log(level, "Run %s %s: %s", done.run_id, done.status, done.reason, extra={"action": "refit segments"})
        return done

    def _fit(self, snapshot: SegmentSnapshot) -> tuple[HierarchicalCLV, Tuned]:
        """Begins where the last refit ended."""
        model = HierarchicalCLV(self.config).build_model(snapshot.customers)
        tuner = AutoTuner(self.settings.segments.budget_s, self.clock)
        return model, tuner.tune(model, "auto", self.settings.seed, _start(snapshot.before))


def _start(before: Population | None) -> dict[str, tuple[Any, Any]] | None:
    if before is None:
        return None
    return {part: (np.array(told["mu"]), np.array(told["tau"])) for part, told in before.items()}


def _asked(settings: ScorerSettings) -> Futures:
    return Futures(settings.value_horizon_days, settings.discount_rate, settings.draws, seed=settings.seed)


def _parameters(model: HierarchicalCLV, tuned: Tuned, settings: ScorerSettings) -> dict[str, Any]:
    """What `scores.model_runs` keeps: the population, where the next refit begins, and every attempt's diagnostics."""
    fits = [
        {
            "config": attempt.config.to_content(),
            "diagnostics": attempt.diagnostics.to_content() if attempt.diagnostics else None,
            "problems": list(attempt.problems),
            "seconds": attempt.seconds,
        }
        for attempt in tuned.attempts
    ]
    population = {p: {"mu": mu.tolist(), "tau": tau.tolist()} for p, (mu, tau) in model.population().items()}
    return {
        "by": settings.segments.by, "family": model.family, "segments": len(model.segments_),
        "population": population, "fits": fits, "settings": settings.model_dump(mode="json"),
    }  # fmt: skip


def _reason(model: HierarchicalCLV, settings: ScorerSettings) -> str:
    what = f"Value of {sum(model.sizes_)} customers in {len(model.segments_)} segments by {settings.segments.by}."
    return " ".join((what, *(f"Note: {note}." for note in model.notes_)))
