"""Draws of the parameters given the data, with the certificate of how they were come by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from retentioncast.models.arrays import Floats

if TYPE_CHECKING:
    from xarray import DataTree

#: psis: importance draws; reweighted: the last posterior's, weighted anew; nuts: sampled; prior: no data were used.
Source = Literal["psis", "reweighted", "nuts", "prior"]


@dataclass(frozen=True, slots=True, eq=False)
class Posterior:
    """Equally likely draws (n, k) of the parameters in the data's units, and what vouches for them.

    `log_density` (n,) is the log posterior density, up to a constant, of each draw's logarithm. `pareto_k` is that of
    the importance weights that were tried last (above 0.7 they were not trusted and NUTS decided; NaN where none were
    tried), `ess` the number of independent draws that they are worth, `r_hat` the largest of the chains (NaN without).
    """

    parameter_names: tuple[str, ...]
    draws: Floats
    log_density: Floats
    source: Source
    pareto_k: float
    ess: float
    r_hat: float = float("nan")
    n_chains: int = 1

    def draw(self, n: int, seed: int) -> Floats:
        """n of the draws (n, k), none twice while there are enough."""
        size = len(self.draws)
        return self.draws[np.random.default_rng(seed).choice(size, n, replace=n > size)]

    def mean(self) -> dict[str, float]:
        """Posterior mean of each parameter."""
        return dict(zip(self.parameter_names, self.draws.mean(axis=0).tolist(), strict=True))

    def interval(self, share: float) -> dict[str, tuple[float, float]]:
        """The central interval of each parameter that holds the given share of the draws."""
        low, high = np.quantile(self.draws, ((1 - share) / 2, (1 + share) / 2), axis=0).tolist()
        return dict(zip(self.parameter_names, zip(low, high, strict=True), strict=True))

    def to_inference_data(self) -> DataTree:
        """As ArviZ takes it: groups `posterior` (chain, draw) and `sample_stats` (lp), diagnostics as attributes."""
        import arviz_base

        by_chain = self.draws.reshape(self.n_chains, -1, len(self.parameter_names))
        posterior = {name: by_chain[:, :, i] for i, name in enumerate(self.parameter_names)}
        tree: DataTree = arviz_base.from_dict(
            {"posterior": posterior, "sample_stats": {"lp": self.log_density.reshape(self.n_chains, -1)}}
        )
        tree["posterior"].attrs |= {
            "source": self.source, "pareto_k": self.pareto_k, "ess": self.ess, "r_hat": self.r_hat
        }  # fmt: skip
        return tree

    def to_content(self) -> dict[str, Any]:
        """As JSON can hold it, floats bit for bit."""
        return {
            "draws": self.draws.tolist(),
            "log_density": self.log_density.tolist(),
            "source": self.source,
            "pareto_k": _number(self.pareto_k),
            "ess": self.ess,
            "r_hat": _number(self.r_hat),
            "n_chains": self.n_chains,
        }

    @classmethod
    def from_content(cls, content: dict[str, Any], names: tuple[str, ...]) -> Posterior:
        """What `to_content` gave."""
        draws, log_density = np.array(content["draws"]), np.array(content["log_density"])
        k, r_hat = (float("nan") if content[name] is None else content[name] for name in ("pareto_k", "r_hat"))
        return cls(names, draws, log_density, content["source"], k, content["ess"], r_hat, content["n_chains"])


def _number(value: float) -> float | None:
    """JSON knows no NaN and no infinity."""
    return value if np.isfinite(value) else None
