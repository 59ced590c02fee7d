"""Effective draws a second of the ways to sample the hierarchical posterior: a small shop, and 100 segments."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from benchmarks.results import Claim, Result
from benchmarks.segment_speed import draw_customers
from retentioncast.models.clv.config import CLVConfig
from retentioncast.models.clv.diagnostics import Diagnostics, check_trace
from retentioncast.models.clv.hierarchical import HierarchicalCLV, Sampler

WAYS: dict[str, Sampler] = {"importance": "psis", "nutpie": "nutpie", "PyMC": "pymc"}

METHOD = """A shop of {segments:,} segments and {customers:,} customers, fitted in turn by importance, by nutpie and by
PyMC's own NUTS on the same density with its rows grouped, in trees of at most {depth} doublings. Effective draws
are the least bulk size of all parameters of both parts, by importance those behind the worst segment; time is the
processor's from the summary to the draws, tuning included."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A shop and how each way samples it."""

    name: str
    segments: int
    customers: int
    configs: Mapping[str, CLVConfig]


#: What one way took, and what vouches for its draws.
Measured = tuple[Diagnostics, float]

_SMALL = CLVConfig(num_chains=2, num_samples=200, num_tune=200)
SMALL = Plan("segment_samplers", 6, 600, dict.fromkeys(WAYS, _SMALL))
#: Some minutes of a processor each: one chain of few draws. `Centred`: segments told by their own parameters, which
#: 1,000 customers each determine; else by their distance from the population.
_LARGE = CLVConfig(num_chains=1, num_samples=500, num_tune=300, max_tree_depth=7, centred=True)
LARGE = Plan(
    "segment_samplers_100", 100, 100_000,
    {"importance": _LARGE, "nutpie, centred": _LARGE, "PyMC, centred": replace(_LARGE, num_samples=200)},
)  # fmt: skip


def run_segment_samplers(plan: Plan = SMALL) -> Result:
    """One run of each."""
    shop = draw_customers(plan.segments, plan.customers, 2)
    return tell(plan, {name: _fit(shop, WAYS[name.split(",")[0]], of) for name, of in plan.configs.items()})


def _fit(shop: pd.DataFrame, sampler: Sampler, config: CLVConfig) -> Measured:
    begun = time.process_time()
    model = HierarchicalCLV(config).fit(shop, sampler=sampler, seed=1)
    seconds = time.process_time() - begun
    return check_trace(model.traces_), seconds


def tell(plan: Plan, measured: Mapping[str, Measured]) -> Result:
    """The report: a row a way."""
    table, rates = [], dict[str, list[float]]()
    for name, (told, seconds) in measured.items():
        importance, of = told.source == "psis", plan.configs[name]
        ess = told.effective if importance else told.ess_bulk
        rates[name] = [ess / seconds]
        how = "" if importance else f"{of.num_chains} x {of.num_samples} after {of.num_tune}"
        cut = "" if importance else f"{told.at_depth:.0%}"
        table.append((name, how, f"{seconds:.0f}", f"{ess:.0f}", f"{ess / seconds:.3f}", cut))
    best = max(rate for name, (rate,) in rates.items() if name != "importance")
    text = f"effective draws a second of {plan.segments} pooled segments, against NUTS"
    claims = [Claim(text, rates["importance"][0] / best, 2, at_least=True)]
    measurements: dict[str, Any] = {"kind": "effective", "rates": rates, "ours": ["importance"]}
    headings = ("way", "draws", "processor, s", "effective draws", "a second", "trees that were cut")
    title = f"Segments: importance against NUTS, {plan.segments} segments of {plan.customers:,} customers"
    return Result(plan.name, title, _method(plan), headings, table, claims, measurements)


def _method(plan: Plan) -> str:
    depth = plan.configs["importance"].max_tree_depth
    return " ".join(METHOD.format(segments=plan.segments, customers=plan.customers, depth=depth).split())
