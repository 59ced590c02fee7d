"""Draws of a population and of its segments, and what vouches for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from retentioncast.models.arrays import Floats

if TYPE_CHECKING:
    from xarray import DataTree


@dataclass(frozen=True, slots=True, eq=False)
class Pooled:
    """Equally likely draws: `mu` (n, k) and `tau` (n, k) of the population, `theta` (n, segments, k) of the segments'
    logs of parameters in the data's units.

    `pareto_k` is the largest of any importance weights used (NaN for NUTS), `effective` (segments,) the number of
    independent draws behind each segment: 0 where the population's own weights are not to be trusted.
    """

    parameter_names: tuple[str, ...]
    mu: Floats
    tau: Floats
    theta: Floats
    source: Literal["psis", "nuts"]
    pareto_k: float
    effective: Floats

    def of_segment(self, index: int) -> Floats:
        """Draws (n, k) of a segment's parameters."""
        return np.exp(self.theta[:, index])

    def of_new_segment(self, seed: int) -> Floats:
        """Draws (n, k) of the parameters of a segment that was never seen: one from the population each."""
        noise = np.random.default_rng(seed).standard_normal(self.mu.shape)
        return np.exp(self.mu + self.tau * noise)

    def shrinkage(self, unpooled: Floats) -> Floats:
        """Share (segments, k) of the way from a segment's own estimate (segments, k; logs) to the population's mean
        that pooling took it: 0 left alone, 1 all the way."""
        centre = self.mu.mean(axis=0)
        way = unpooled - centre
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(np.abs(way) > 1e-9, 1 - (self.theta.mean(axis=0) - centre) / way, 0.0)

    def to_inference_data(self) -> DataTree:
        """As ArviZ takes it: mu, tau and theta of one chain; what vouches for them as attributes."""
        import arviz_base

        draws = {"mu": self.mu[None], "tau": self.tau[None], "theta": self.theta[None]}
        tree: DataTree = arviz_base.from_dict(
            {"posterior": draws},
            dims={"mu": ["parameter"], "tau": ["parameter"], "theta": ["segment", "parameter"]},
            coords={"parameter": list(self.parameter_names)},
        )
        told = {"source": self.source, "pareto_k": self.pareto_k, "effective": float(self.effective.min())}
        tree["posterior"].attrs |= told
        return tree
