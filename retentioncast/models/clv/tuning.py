"""What to change when a fit does not pass, and a loop that refits until it does or a budget is spent."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from retentioncast.core.clock import Clock, SystemClock
from retentioncast.core.errors import FitFailed
from retentioncast.models.clv.config import CLVConfig
from retentioncast.models.clv.diagnostics import LEAST_BFMI, MOST_AT_DEPTH, MOST_DIVERGENT, Diagnostics, check_trace
from retentioncast.models.clv.hierarchical import HierarchicalCLV, Sampler
from retentioncast.models.pooling.pool import Start

logger = logging.getLogger(__name__)

MOST_ATTEMPTS = 8
_MOST_SAMPLES = 20_000
_MOST_ACCEPT = 0.99
_TIGHTEST = 0.05
#: Fewer steps than this never tune a sampler.
_LEAST_TUNE = 500


@dataclass(frozen=True, slots=True)
class Advice:
    """A configuration to try next, and why; no reasons: there is nothing left to change."""

    config: CLVConfig
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Attempt:
    """One fit: its configuration, what it measured (None where it failed) and which thresholds it missed."""

    config: CLVConfig
    diagnostics: Diagnostics | None
    problems: tuple[str, ...]
    seconds: float


@dataclass(frozen=True, slots=True)
class Tuned:
    """Whether the last attempt passed, all attempts, and why it ended, in words."""

    passed: bool
    attempts: tuple[Attempt, ...]
    reason: str


class AutoTuner:
    """Refits a model with better settings until its diagnostics hold."""

    def __init__(self, budget_s: float = 600.0, clock: Clock | None = None) -> None:
        self.budget_s = budget_s
        self.clock = clock or SystemClock()

    def analyze_diagnostics(self, diagnostics: Diagnostics, config: CLVConfig | None = None) -> Advice:
        """The configuration to try next, from the one that was tried. See docs/models/hierarchical_clv.md."""
        before = config or CLVConfig()
        if not diagnostics.problems(before) or diagnostics.source == "psis":
            return Advice(before, ())
        after, reasons = before, []
        for change in (_smaller_steps, _deeper, _more_draws):
            if changed := change(diagnostics, after):
                after, reason = changed
                reasons.append(reason)
        return Advice(after, tuple(reasons))

    def tune(
        self,
        model: HierarchicalCLV,
        sampler: Sampler = "nutpie",
        seed: int = 0,
        start: HierarchicalCLV | Mapping[str, Start] | None = None,
    ) -> Tuned:
        """Fit the model, whose data are built, until it passes; the model holds the last fit and its configuration.

        It gives up, without an error, when nothing is left to change, after 8 attempts, or when the next fit would go
        beyond the budget. `auto` and `psis` have no settings to change but the last resort, NUTS.
        """
        begun, attempts = self.clock.monotonic_s(), list[Attempt]()
        while True:
            attempts.append(self._attempt(model, sampler, seed, start))
            last = attempts[-1]
            if not last.problems:
                return Tuned(True, tuple(attempts), "all thresholds hold")
            logger.info("Not to be trusted yet: %s", "; ".join(last.problems), extra={"action": "tune"})
            if sampler in ("auto", "psis") and last.diagnostics and last.diagnostics.source == "psis":
                return Tuned(False, tuple(attempts), _told("the importance weights do not hold", last))
            config = CLVConfig() if last.diagnostics is None else self._next(last.diagnostics, model.config)
            if config == model.config:
                return Tuned(False, tuple(attempts), _told("nothing is left to change", last))
            spent = self.clock.monotonic_s() - begun
            if len(attempts) == MOST_ATTEMPTS or spent + _expected_s(last, config) > self.budget_s:
                what = f"{len(attempts)} fits in {spent:.0f} s; another would be too many for {self.budget_s:g} s"
                return Tuned(False, tuple(attempts), _told(what, last))
            model.config = config
            model.tighten(config.spread_between)
            seed += 1

    def _next(self, diagnostics: Diagnostics, config: CLVConfig) -> CLVConfig:
        advice = self.analyze_diagnostics(diagnostics, config)
        for reason in advice.reasons:
            logger.info("%s", reason, extra={"action": "tune"})
        return advice.config

    def _attempt(
        self,
        model: HierarchicalCLV,
        sampler: Sampler,
        seed: int,
        start: HierarchicalCLV | Mapping[str, Start] | None,
    ) -> Attempt:
        begun = self.clock.monotonic_s()
        try:
            model.fit(sampler=sampler, seed=seed, start=start)
            diagnostics = check_trace(model.traces_)
            problems = diagnostics.problems(model.config)
        except FitFailed as error:
            diagnostics, problems = None, (error.message,)
        return Attempt(model.config, diagnostics, problems, self.clock.monotonic_s() - begun)


Change = Callable[[Diagnostics, CLVConfig], tuple[CLVConfig, str] | None]


def _smaller_steps(found: Diagnostics, config: CLVConfig) -> tuple[CLVConfig, str] | None:
    """Against divergences and a poor BFMI: smaller steps, then other coordinates, then a tighter prior."""
    if not (found.divergent > MOST_DIVERGENT or found.bfmi < LEAST_BFMI):
        return None
    why = f"{100 * found.divergent:.1f} % diverged, BFMI {found.bfmi:.2f}"
    if config.target_accept < CLVConfig().target_accept:
        return replace(config, target_accept=0.9), f"{why}: target_accept {config.target_accept:g} to 0.9"
    if config.target_accept < 0.95:
        return replace(config, target_accept=0.97), f"{why}: target_accept {config.target_accept:g} to 0.97"
    if not config.centred and config.target_accept < _MOST_ACCEPT:
        return (
            replace(config, centred=True, target_accept=_MOST_ACCEPT),
            f"{why}: segments told by their own parameters (centred), target_accept to {_MOST_ACCEPT:g}",
        )
    tighter = config.spread_between / 2
    if tighter < _TIGHTEST:
        return None
    text = f"{why}: a tighter prior, spread_between {config.spread_between:g} to {tighter:g}, and not centred"
    return replace(config, spread_between=tighter, centred=False), text


def _deeper(found: Diagnostics, config: CLVConfig) -> tuple[CLVConfig, str] | None:
    if not found.at_depth > MOST_AT_DEPTH or config.max_tree_depth >= 14:
        return None
    depth = min(config.max_tree_depth + 2, 14)
    text = f"trajectories are cut: max_tree_depth {config.max_tree_depth} to {depth}"
    return replace(config, max_tree_depth=depth), text


def _more_draws(found: Diagnostics, config: CLVConfig) -> tuple[CLVConfig, str] | None:
    """As many as the effective size says, and more tuning where the chains disagree."""
    ess = min(found.ess_bulk, found.ess_tail)
    disagree = not found.r_hat <= config.max_rhat
    if ess >= config.min_ess and not disagree:
        return None
    factor = min(max(1.3 * config.min_ess / max(ess, 1.0), 2.0 if disagree else 1.3), 20.0)
    samples = min(int(config.num_samples * factor) + 1, _MOST_SAMPLES)
    tune = min(max(_LEAST_TUNE, config.num_tune * (2 if disagree else 1)), _MOST_SAMPLES)
    chains = max(config.num_chains, 2)
    if (samples, tune, chains) == (config.num_samples, config.num_tune, config.num_chains):
        return None
    text = f"R-hat {found.r_hat:.3f}, ESS {ess:.0f} of {config.min_ess}: {samples} draws, {tune} of tuning"
    return replace(config, num_samples=samples, num_tune=tune, num_chains=chains), text


def _expected_s(last: Attempt, config: CLVConfig) -> float:
    """How long a fit with another configuration will take, from the last one's time a step."""

    def steps(of: CLVConfig) -> float:
        return of.num_chains * (of.num_samples + of.num_tune)

    return last.seconds * steps(config) / steps(last.config)


def _told(what: str, last: Attempt) -> str:
    return f"{what}: {'; '.join(last.problems)}"
