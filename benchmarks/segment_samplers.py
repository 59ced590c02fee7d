"""Effective draws a second of the ways to sample the hierarchical posterior: a small shop, and 100 segments."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import Any

import pandas as pd

from benchmarks.results import Claim, Result
from benchmarks.segment_speed import draw_customers
from retentioncast.models.clv.config import CLVConfig
from retentioncast.models.clv.diagnostics import Diagnostics, check_trace
from retentioncast.models.clv.hierarchical import HierarchicalCLV, Sampler

logger = logging.getLogger(__name__)

WAYS: dict[str, Sampler] = {"importance": "psis", "nutpie": "nutpie", "PyMC": "pymc"}

METHOD = """A shop of {segments:,} segments and {customers:,} customers, fitted in turn by importance, by nutpie and by
PyMC's own NUTS on the same density with its rows grouped: {chains} of {draws} draws after {tune} of tuning, {how},
trees of at most {depth} doublings. Effective draws are the least bulk size of all parameters of both parts, by
importance those behind the worst segment; time is the processor's from the summary to the draws."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A shop and how NUTS samples it."""

    name: str
    segments: int
    customers: int
    config: CLVConfig


SMALL = Plan("segment_samplers", 6, 600, CLVConfig(num_chains=2, num_samples=200, num_tune=200))
#: An evaluation costs some 10 ms here: few draws, and segments told by their own parameters, which 1,000 customers
#: each determine.
LARGE = Plan(
    "segment_samplers_100", 100, 100_000,
    CLVConfig(num_chains=1, num_samples=100, num_tune=150, max_tree_depth=7, centred=True),
)  # fmt: skip


def run_segment_samplers(plan: Plan = SMALL) -> Result:
    """One run of each."""
    shop = draw_customers(plan.segments, plan.customers, 2)
    table, rates = [], dict[str, list[float]]()
    for name, sampler in WAYS.items():
        told, seconds = _fit(shop, sampler, plan.config)
        ess = told.effective if sampler == "psis" else told.ess_bulk
        rates[name] = [ess / seconds]
        cut = "" if sampler == "psis" else f"{told.at_depth:.0%}"
        table.append((name, f"{seconds:.1f}", f"{ess:.0f}", f"{ess / seconds:.3f}", cut))
        logger.info("%s", table[-1], extra={"action": "sample"})
    best = max(rates["nutpie"][0], rates["PyMC"][0])
    text = f"effective draws a second of {plan.segments} pooled segments, against NUTS"
    claims = [Claim(text, rates["importance"][0] / best, 2, at_least=True)]
    measurements: dict[str, Any] = {"kind": "effective", "rates": rates, "ours": ["importance"]}
    headings = ("way", "processor, s", "effective draws", "a second", "draws of cut trees")
    title = f"Segments: importance against NUTS, {plan.segments} segments of {plan.customers:,} customers"
    return Result(plan.name, title, _method(plan), headings, table, claims, measurements)


def _fit(shop: pd.DataFrame, sampler: Sampler, config: CLVConfig) -> tuple[Diagnostics, float]:
    """What vouches for the draws, and the processor's seconds."""
    begun = time.process_time()
    model = HierarchicalCLV(config).fit(shop, sampler=sampler, seed=1)
    seconds = time.process_time() - begun
    return check_trace(model.traces_), seconds


def _method(plan: Plan) -> str:
    of = plan.config
    how = (
        "segments told by their own parameters" if of.centred else "segments told by their distance from the population"
    )
    chains = "one chain" if of.num_chains == 1 else f"{of.num_chains} chains"
    text = METHOD.format(
        segments=plan.segments, customers=plan.customers, chains=chains, draws=of.num_samples, tune=of.num_tune,
        how=how, depth=of.max_tree_depth,
    )  # fmt: skip
    return " ".join(text.split())
