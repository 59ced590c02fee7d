"""Whether draws may be trusted: what there is to measure of a trace, and which thresholds it misses.

R-hat and effective sizes: Vehtari, Gelman, Simpson, Carpenter & Buerkner (2021), "Rank-normalization, folding, and
localization: an improved R-hat", Bayesian Analysis 16(2); BFMI: Betancourt (2016), arXiv:1604.00695.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from retentioncast.core.errors import InvalidInput
from retentioncast.models.arrays import Floats
from retentioncast.models.clv.config import CLVConfig
from retentioncast.models.pooling.pool import FEWEST_BEHIND
from retentioncast.models.uncertainty.pareto_smoothing import HIGHEST_K

if TYPE_CHECKING:
    from xarray import DataTree

MOST_DIVERGENT = 0.001
LEAST_BFMI = 0.3
MOST_AT_DEPTH = 0.05
#: Tail ESS is that of these quantiles, as the paper has it.
_TAILS = (0.05, 0.95)


@dataclass(frozen=True, slots=True)
class Diagnostics:
    """The worst of all parameters. NaN: there is nothing of the kind to measure (R-hat of one chain).

    `ess_bulk`, `ess_tail`: effective draws; `r_hat`; `mcse`: Monte Carlo error of a mean, in standard deviations;
    `divergent`, `at_depth`: shares of the draws that diverged or reached the greatest tree depth; `bfmi`: the least of
    the chains; `pareto_k`, `effective`: of importance weights, and the draws behind the worst segment.
    `worst` names the parameter of the largest R-hat, or of the least effective size where there is none.
    """

    source: str
    draws: int
    ess_bulk: float = math.nan
    ess_tail: float = math.nan
    r_hat: float = math.nan
    mcse: float = math.nan
    divergent: float = math.nan
    at_depth: float = math.nan
    bfmi: float = math.nan
    pareto_k: float = math.nan
    effective: float = math.nan
    worst: str = ""

    def problems(self, config: CLVConfig) -> tuple[str, ...]:
        """Which thresholds are missed, in words; empty: the draws may be trusted."""
        checks = self._of_weights() if self.source == "psis" else self._of_chains(config)
        return tuple(told for missed, told in checks if missed)

    def _of_weights(self) -> tuple[tuple[bool, str], ...]:
        behind = f"{self.effective:.0f} draws are behind a segment; {FEWEST_BEHIND:.0f} are needed"
        return (
            (not self.pareto_k <= HIGHEST_K, f"Pareto k {self.pareto_k:.2f} is above {HIGHEST_K}"),
            (not self.effective >= FEWEST_BEHIND, behind),
        )

    def _of_chains(self, config: CLVConfig) -> tuple[tuple[bool, str], ...]:
        return (
            (not self.r_hat <= config.max_rhat, f"R-hat {self.r_hat:.3f} of {self.worst} is above {config.max_rhat:g}"),
            (not self.ess_bulk >= config.min_ess, f"bulk ESS {self.ess_bulk:.0f} is below {config.min_ess}"),
            (not self.ess_tail >= config.min_ess, f"tail ESS {self.ess_tail:.0f} is below {config.min_ess}"),
            (self.divergent > MOST_DIVERGENT, f"{100 * self.divergent:.1f} % of the draws diverged"),
            (self.bfmi < LEAST_BFMI, f"BFMI {self.bfmi:.2f} is below {LEAST_BFMI}"),
            (
                self.at_depth > MOST_AT_DEPTH,
                f"{100 * self.at_depth:.0f} % of the draws reached the greatest tree depth",
            ),
        )

    def to_content(self) -> dict[str, Any]:
        """As JSON can hold it: NaN is null."""
        return {
            name: None if isinstance(value, float) and not math.isfinite(value) else value
            for name, value in asdict(self).items()
        }


Traces = Mapping[str, "DataTree"]


def check_trace(trace: DataTree | Traces) -> Diagnostics:
    """The diagnostics of all variables of a trace, or the worst of several traces by name."""
    if isinstance(trace, Mapping) and "posterior" not in trace:
        each = [(name, _check(tree)) for name, tree in trace.items()]
        if not each:
            raise InvalidInput("there is no trace to check.", "Call fit first.")
        return _worst_of(each)
    return _check(trace)


def _check(trace: Any) -> Diagnostics:
    posterior = trace["posterior"]
    chains, draws = posterior["mu"].shape[:2]
    told = posterior.attrs
    if told.get("source") == "psis":
        k, behind = float(told["pareto_k"]), float(told["effective"])
        return Diagnostics("psis", draws, pareto_k=k, effective=behind, mcse=1 / math.sqrt(max(behind, 1.0)))
    names, columns = _columns(posterior)
    measured = np.array([_measure(column) for column in columns])
    r_hat, bulk, tail, mcse = measured.T
    at = int(np.nanargmax(r_hat)) if chains > 1 and np.isfinite(r_hat).any() else int(np.nanargmin(bulk))
    stats = trace["sample_stats"]
    deepest = told.get("max_depth", 10)
    return Diagnostics(
        "nuts", chains * draws, float(np.min(bulk)), float(np.min(tail)),
        float(np.max(r_hat)) if chains > 1 else math.nan, float(np.max(mcse)),
        float(stats["diverging"].to_numpy().mean()), float((stats["tree_depth"].to_numpy() >= deepest).mean()),
        _bfmi(stats["energy"].to_numpy()), worst=names[at],
    )  # fmt: skip


def _columns(posterior: Any) -> tuple[list[str], list[Floats]]:
    names, columns = [], []
    for name in map(str, posterior.data_vars):  # mu, tau, theta, and the customers' effects where there are any
        values = posterior[name].to_numpy()
        for place in np.ndindex(values.shape[2:]):
            names.append(f"{name}[{', '.join(map(str, place))}]")
            columns.append(values[(slice(None), slice(None), *place)])
    return names, columns


def _measure(column: Floats) -> tuple[float, float, float, float]:
    """R-hat, bulk and tail ESS, and the Monte Carlo error of the mean in standard deviations, of draws (chains, draws).

    A chain that does not move, or too few draws to tell, is worth nothing: R-hat infinite, ESS 0.
    """
    from arviz_stats.base import array_stats

    spread = float(column.std())
    if column.shape[1] < 4 or not spread > 0 or not np.all(np.isfinite(column)):
        return math.inf, 0.0, 0.0, math.inf
    r_hat = float(array_stats.rhat(column)) if len(column) > 1 else math.nan
    bulk = float(array_stats.ess(column, method="bulk"))
    tail = float(array_stats.ess(column, method="tail", prob=_TAILS))
    return r_hat, _known(bulk), _known(tail), float(array_stats.mcse(column)) / spread


def _known(ess: float) -> float:
    return ess if math.isfinite(ess) else 0.0


def _bfmi(energy: Floats) -> float:
    """The least of the chains (chains, draws): how freely the sampler moves between energies."""
    moved = np.square(np.diff(energy, axis=1)).mean(axis=1)
    return float(np.min(moved / energy.var(axis=1)))


def _worst_of(each: list[tuple[str, Diagnostics]]) -> Diagnostics:
    """One for all: NUTS where any of them is."""
    found = [diagnostics for _, diagnostics in each]

    def worst(name: str, largest: bool) -> float:
        values = np.array([getattr(one, name) for one in found])
        if np.all(np.isnan(values)):
            return math.nan
        return float(np.nanmax(values) if largest else np.nanmin(values))

    nuts = [(name, one) for name, one in each if one.source == "nuts"]
    name, one = max(nuts or each, key=lambda pair: pair[1].r_hat if pair[1].r_hat == pair[1].r_hat else 0.0)
    return Diagnostics(
        "nuts" if nuts else "psis", min(one.draws for one in found), worst("ess_bulk", False),
        worst("ess_tail", False), worst("r_hat", True), worst("mcse", True), worst("divergent", True),
        worst("at_depth", True), worst("bfmi", False), worst("pareto_k", True), worst("effective", False),
        f"{name} {one.worst}".strip(),
    )  # fmt: skip
