"""Draws of a population and of its segments, and what vouches for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from retentioncast.models.arrays import Floats

if TYPE_CHECKING:
    from xarray import DataTree


@dataclass(frozen=True, slots=True, eq=False)
class Pooled:
    """Equally likely draws: `mu` (n, k) and `tau` (n, k) of the population, `theta` (n, segments, k) of the segments'
    logs of parameters in the data's units.

    `pareto_k` is the largest of any importance weights used, `r_hat` that of the chains (NaN without), `effective`
    (segments,) the number of independent draws behind each segment. `n_chains` says how the draws are laid out.
    """

    parameter_names: tuple[str, ...]
    mu: Floats
    tau: Floats
    theta: Floats
    source: str
    pareto_k: float
    r_hat: float
    effective: Floats
    n_chains: int = 1

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

    def to_inference_data(self, segments: list[str]) -> DataTree:
        """As ArviZ takes it: mu, tau and theta by chain and draw; diagnostics as attributes."""
        import arviz_base

        def by_chain(values: Floats) -> Floats:
            return values.reshape(self.n_chains, -1, *values.shape[1:])

        tree: DataTree = arviz_base.from_dict(
            {"posterior": {"mu": by_chain(self.mu), "tau": by_chain(self.tau), "theta": by_chain(self.theta)}},
            dims={"mu": ["parameter"], "tau": ["parameter"], "theta": ["segment", "parameter"]},
            coords={"parameter": list(self.parameter_names), "segment": segments},
        )
        tree["posterior"].attrs |= {"source": self.source, "pareto_k": self.pareto_k, "r_hat": self.r_hat}
        return tree
