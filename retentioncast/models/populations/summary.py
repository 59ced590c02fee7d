"""What a fitted mixture says, as numbers to print: shares, parameters, what becomes of the customers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from retentioncast.models.arrays import Floats
from retentioncast.models.populations.layout import stated_mix

if TYPE_CHECKING:
    from retentioncast.models.populations.mixture import Mixture


@dataclass(frozen=True, slots=True)
class Found:
    """A share or a parameter: what was stated, its posterior mean and central interval, and the part still prior."""

    segment: str
    name: str
    stated: float
    mean: float
    low: float
    high: float
    overlap: float


@dataclass(frozen=True, slots=True)
class Summary:
    """The whole result. `customers` are subscriptions; `source` is psis or nutpie."""

    customers: int
    interval: float
    source: str
    pareto_k: float
    shares: list[Found]
    parameters: list[Found]
    #: metric, horizon, mean, low, high; see `Mixture.forecast`.
    forecast: list[dict[str, Any]]
    notes: list[str]

    def as_json(self) -> dict[str, Any]:
        """Plain values; a k that was not computed is null."""
        return asdict(self) | {"pareto_k": self.pareto_k if np.isfinite(self.pareto_k) else None}


def summarise(mixture: Mixture, horizons: Sequence[float], interval: float = 0.94, seed: int = 0) -> Summary:
    """The mixture must hold a posterior. Horizons are in its unit of time. Raises NotFitted."""
    forecast: Any = mixture.forecast(horizons, interval, seed=seed).to_dict("records")
    draws, observed = mixture.draws_, mixture.observed_
    assert draws is not None and observed is not None  # forecast has refused else
    layout = observed.posterior.layout
    readable, shares = layout.readable(draws.flat), stated_mix(mixture.segments)
    return Summary(
        len(observed.subscriptions.duration), interval, draws.source, draws.pareto_k,
        [
            _found(
                name, "mix", float(shares[k]), readable["mix"][:, k], interval, draws.overlap.get(f"mix.{name}", 0.0)
            )
            for k, name in enumerate(mixture.names)
        ],
        [
            _found(
                mixture.names[slot.segment], f"{slot.role}.{slot.name.rpartition('.')[2]}",
                _stated(mixture, slot.segment, slot.role, slot.position), readable[slot.name], interval,
                draws.overlap.get(slot.name, 0.0),
            )
            for slot in sorted(layout.slots, key=lambda each: each.segment)
        ],
        forecast, mixture.not_identified(),
    )  # fmt: skip


def _found(segment: str, name: str, stated: float, draws: Floats, interval: float, overlap: float) -> Found:
    low, high = np.quantile(draws, [(1 - interval) / 2, (1 + interval) / 2])
    return Found(segment, name, stated, float(draws.mean()), float(low), float(high), float(overlap))


def _stated(mixture: Mixture, segment: int, role: str, position: int) -> float:
    distribution = mixture.segments[segment].distribution(role)
    assert distribution is not None
    return distribution.values[position]
