"""Judges a refit: chooses by backtest, compares what would be published with what is in force, keeps all numbers."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from retentioncast.models.arrays import Floats
from retentioncast.models.clv.ports import PurchaseModel
from retentioncast.models.judging.backtest import Families, backtest, tell
from retentioncast.models.judging.baselines import BASE_RATE
from retentioncast.models.judging.choice import Choice, choose
from retentioncast.models.judging.gate import Comparison, Verdict, compare, decide
from retentioncast.models.judging.measures import Measures, measure
from retentioncast.models.judging.origins import rolling_cuts
from retentioncast.models.judging.purchase_days import Cut, PurchaseDays
from retentioncast.models.judging.told import Told, Window, stack_rows

#: Contenders beside families and baselines: what was chosen, refitted at each origin; the refit and the run in force,
#: each with its final parameters.
CHOSEN, REFIT, IN_FORCE = "chosen", "refit", "in force"


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """What held out: cuts, windows with what each contender told, and the choice."""

    cuts: list[Cut]
    windows: list[Window]
    choice: Choice
    failed: dict[str, str]


@dataclass(frozen=True, slots=True)
class Score:
    """A contender's measures in one window."""

    origin: int
    horizon_days: int
    contender: str
    measures: Measures


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdict, the comparisons that led to it, and every contender's measures in every window."""

    verdict: Verdict
    comparisons: dict[str, Comparison]
    scores: list[Score] = field(default_factory=list)


def gather_evidence(
    log: PurchaseDays,
    as_of: int,
    horizons_days: tuple[int, ...],
    families: Families,
) -> Evidence | None:
    """Backtest and choice on what was known at the end of day `as_of`; None where history is too short or no family
    can be fitted at every origin."""
    cuts = rolling_cuts(log, as_of, horizons_days) if log.n_customers else []
    found = backtest(log, cuts, families)
    if not cuts or not found.families:
        return None
    choice = choose(stack_rows(found.windows, found.families), found.families)
    return Evidence(cuts, with_chosen(found.windows, choice), choice, found.failed)


def judge(evidence: Evidence, refit: PurchaseModel, in_force: PurchaseModel | None) -> Judgement:
    """Compare the refit (all parameters final) with the run in force, and the choice with the baselines."""
    told = {REFIT: refit} | ({IN_FORCE: in_force} if in_force is not None else {})
    windows = _with_models(evidence, told)
    comparisons = {name: compare(windows, CHOSEN, name) for name in _contenders(windows) if name not in (*told, CHOSEN)}
    if in_force is not None:
        comparisons[IN_FORCE] = compare(windows, REFIT, IN_FORCE)
    verdict = decide(comparisons.get(IN_FORCE), comparisons.get(BASE_RATE))
    return Judgement(verdict, comparisons, _scores(windows))


def with_chosen(windows: list[Window], choice: Choice) -> list[Window]:
    """The windows with what the choice would have told, without the outcomes of each window's own origin."""
    edges = np.cumsum([window.customer.size for window in windows])[:-1]
    pieces = np.split(choice.held_out, edges)
    return [_add(window, CHOSEN, piece, choice) for window, piece in zip(windows, pieces, strict=True)]


def _add(window: Window, name: str, no_purchase: Floats, choice: Choice) -> Window:
    expected = sum(weight * window.told[family].expected for family, weight in choice.weights.items())
    return replace(window, told=window.told | {name: Told(no_purchase, np.asarray(expected))})


def _with_models(evidence: Evidence, models: dict[str, PurchaseModel]) -> list[Window]:
    cuts = {cut.day: cut for cut in evidence.cuts}
    return [
        replace(window, told=window.told | {
            name: tell(model, cuts[window.origin], window.horizon_days) for name, model in models.items()
        })
        for window in evidence.windows
    ]  # fmt: skip


def _contenders(windows: list[Window]) -> list[str]:
    return list(dict.fromkeys(name for window in windows for name in window.told))


def _scores(windows: list[Window]) -> list[Score]:
    return [
        Score(window.origin, window.horizon_days, name, measure(told.no_purchase, told.expected, window.happened))
        for window in windows
        for name, told in window.told.items()
    ]
