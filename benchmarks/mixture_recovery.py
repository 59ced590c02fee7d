"""One trial of recovery: a truth drawn from the prior, its events, the fit, and where the truth lies in it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from retentioncast.core.errors import FitFailed
from retentioncast.models.populations.layout import Layout, to_eta
from retentioncast.models.populations.mixture import Mixture
from retentioncast.models.populations.segments import Segment

LEVELS = (0.5, 0.8, 0.94)
#: A constant counts as recovered within this part of it.
EXACT = 1e-3


@dataclass(frozen=True, slots=True)
class Trial:
    """What came out. `places` is the truth's rank in the posterior, from 0 to 1, of each inferred parameter."""

    name: str
    seed: int
    families: list[str]
    source: str
    pareto_k: float
    seconds: float
    places: dict[str, float]
    #: Parts of the posteriors that are still the prior.
    overlap: dict[str, float]
    #: Constants that were seen, and how far off they are.
    constants: dict[str, float]
    held: int
    out_of_order: int
    switched: bool
    failed: str = ""

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def run_trial(name: str, seed: int, populations: Any, customers: int, draws: int = 1000) -> Trial:
    """Draw the truth, sample, fit with the description as the prior."""
    mixture, rng = Mixture(populations), np.random.default_rng([seed, 77])
    truth = mixture.draw_prior(rng)
    events = mixture.with_segments(truth).sample(customers, int(rng.integers(2**31)))
    families = [f"{each.cancel_dist and each.cancel_dist.name}" for each in mixture.segments]
    begun = time.perf_counter()
    try:
        mixture.observe(events).fit(draws=draws // 2, chains=2, tune=250, seed=seed)
    except FitFailed as error:
        return Trial(name, seed, families, "none", 0.0, 0.0, {}, {}, {}, 0, 0, False, str(error))
    seconds = time.perf_counter() - begun
    return _judge(name, seed, families, mixture, truth, seconds)


def _judge(
    name: str, seed: int, families: list[str], mixture: Mixture, truth: Sequence[Segment], seconds: float
) -> Trial:
    found = mixture.draws_
    assert found is not None and mixture.observed_ is not None
    layout = mixture.observed_.posterior.layout
    readable = layout.readable(found.flat)
    places, constants = {}, {}
    if len(truth) > 1:
        for k, segment in enumerate(truth):
            places[f"mix.{segment.name}"] = _place(readable["mix"][:, k], segment.mix)
    for slot in layout.slots:
        true = _true_value(truth, slot.segment, slot.role, slot.position)
        if slot.anchor is None:
            places[slot.name] = _place(readable[slot.name], true)
        else:
            constants[slot.name] = float(readable[slot.name].mean() / true - 1)
    held = sum("is held" in note and "no tie" in note for note in mixture.not_identified())
    order, switched = _labels(layout, found.flat, truth)
    return Trial(
        name, seed, families, found.source, float(np.nan_to_num(found.pareto_k)), seconds, places,
        dict(found.overlap), constants, held, order, switched,
    )  # fmt: skip


def _place(draws: Any, true: float) -> float:
    return float((draws < true).mean())


def _true_value(truth: Sequence[Segment], segment: int, role: str, position: int) -> float:
    distribution = truth[segment].distribution(role)
    assert distribution is not None
    return distribution.values[position]


def _labels(layout: Layout, draws: Any, truth: Sequence[Segment]) -> tuple[int, bool]:
    """Draws in which a later segment came before an earlier one, and whether two changed places as a whole."""
    etas = layout.etas(draws)
    out_of_order, switched = 0, False
    for i, slot in enumerate(layout.slots):
        if slot.behind is None:
            continue
        other = layout.slots[slot.behind]
        out_of_order += int((np.sign(slot.gap) * (etas[:, i] - etas[:, slot.behind]) <= 0).sum())
        here, there = (
            np.array([to_eta(s.scale, _true_value(truth, s.segment, s.role, s.position)) for s in slots])
            for slots in (_of(layout, slot.segment), _of(layout, other.segment))
        )
        means, spreads = _moments(layout, etas, slot.segment)
        others, other_spreads = _moments(layout, etas, other.segment)
        kept = (((means - here) / spreads) ** 2).sum() + (((others - there) / other_spreads) ** 2).sum()
        swapped = (((means - there) / spreads) ** 2).sum() + (((others - here) / other_spreads) ** 2).sum()
        switched |= bool(kept > 16 * (here.size + there.size) and swapped < kept)
    return out_of_order, switched


def _of(layout: Layout, segment: int) -> list[Any]:
    return [slot for slot in layout.slots if slot.segment == segment and slot.anchor is None]


def _moments(layout: Layout, etas: Any, segment: int) -> tuple[Any, Any]:
    columns = [i for i, slot in enumerate(layout.slots) if slot.segment == segment and slot.anchor is None]
    return etas[:, columns].mean(axis=0), etas[:, columns].std(axis=0) + 1e-9
