"""How the hierarchical value is fitted and when it may be trusted; every number on one page, checked when made."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields
from typing import Any

from retentioncast.core.errors import InvalidInput
from retentioncast.models.pooling.hyper import SCATTER


class InvalidConfig(InvalidInput, ValueError):
    """A value of the configuration is out of range. Correct it; nothing was fitted."""


@dataclass(frozen=True, slots=True)
class CLVConfig:
    """The configuration of HierarchicalCLV. What is said of sampling is NUTS's; the fast way needs none of it."""

    #: Chains of NUTS; R-hat compares them.
    num_chains: int = 4
    #: Draws of each chain after its tuning.
    num_samples: int = 2000
    #: Steps of each chain in which NUTS learns its step size and the posterior's shape; not kept.
    num_tune: int = 1000
    #: Share of proposals that NUTS aims to accept: nearer 1 means smaller steps, fewer divergences, more time.
    target_accept: float = 0.8
    #: A trajectory doubles at most so many times.
    max_tree_depth: int = 10
    #: Money is divided by this before it is fitted and multiplied back in results: near 1, arithmetic is at its best.
    #: Results do not depend on it.
    rescale_factor: float = 1000.0
    #: A customer with fewer purchases than this (the first included) is told to rest on the segment (`basis`). Nobody
    #: is left out of the fit: one-time buyers are what tells how many never come back.
    min_transactions: int = 2
    #: Effective draws, bulk and tail, that every parameter needs.
    min_ess: int = 400
    #: The largest R-hat that still counts as chains that agree.
    max_rhat: float = 1.05
    #: Median of the log-normal prior of how far the segments' log parameters scatter.
    spread_between: float = SCATTER
    #: Segments told by their own parameters rather than by their distance from the population: for large segments.
    centred: bool = False
    #: IndividualCLV gives so many customers parameters of their own (drawn by NUTS); of more it takes a sample. Of 500
    #: the default draws were worth 421 effective ones, of 1,000 they would not reach min_ess.
    max_individuals: int = 500

    def __post_init__(self) -> None:
        for name, (low, high) in _RANGES.items():
            value, allowed = getattr(self, name), f"Give {low:g} to {high:g}."
            if isinstance(value, bool) or not isinstance(value, int if name in _WHOLE else int | float):
                kind = "whole number" if name in _WHOLE else "number"
                raise InvalidConfig(f"{name} = {value!r} is no {kind}.", allowed)
            if not (math.isfinite(value) and low <= value <= high):
                raise InvalidConfig(f"{name} = {value!r} is out of range.", allowed)

    def to_content(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return asdict(self)

    @classmethod
    def from_content(cls, content: dict[str, Any]) -> CLVConfig:
        """What `to_content` gave, or a user's own. Raises InvalidConfig for a name that there is not."""
        known = [each.name for each in fields(cls)]
        if strange := sorted(set(content) - set(known)):
            raise InvalidConfig(f"there is no {strange[0]!r} in CLVConfig.", f"It has {', '.join(known)}.")
        return cls(**content)


_WHOLE = ("num_chains", "num_samples", "num_tune", "max_tree_depth", "min_transactions", "min_ess", "max_individuals")
_RANGES: dict[str, tuple[float, float]] = {
    "num_chains": (1, 64),
    "num_samples": (4, 100_000),
    "num_tune": (4, 100_000),
    "target_accept": (0.05, 0.999),
    "max_tree_depth": (1, 20),
    "rescale_factor": (1e-9, 1e12),
    "min_transactions": (1, 1_000_000),
    "min_ess": (1, 1_000_000),
    "max_rhat": (1.001, 10.0),
    "spread_between": (0.001, 10.0),
    "max_individuals": (10, 100_000),
}
