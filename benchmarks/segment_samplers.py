"""Effective draws a second of the ways to sample the hierarchical posterior, on a shop small enough for NUTS."""

from __future__ import annotations

import time
from typing import Any

from benchmarks.results import Claim, Result
from benchmarks.segment_speed import draw_customers
from retentioncast.models.clv.config import CLVConfig
from retentioncast.models.clv.diagnostics import check_trace
from retentioncast.models.clv.hierarchical import HierarchicalCLV, Sampler

WAYS: dict[str, Sampler] = {"importance": "psis", "nutpie": "nutpie", "PyMC": "pymc"}

METHOD = """A shop of {segments} segments and {customers} customers, fitted in turn by importance, by nutpie and by
PyMC's own NUTS (2 chains of 200 draws after 200 of tuning) on the same density. Effective draws are the least bulk size
of all parameters of both parts, by importance those behind the worst segment; time is from the summary to the
draws."""


def run_segment_samplers(segments: int = 6, customers: int = 600) -> Result:
    """One run of each."""
    shop = draw_customers(segments, customers, 2)
    table, rates = [], dict[str, list[float]]()
    for name, sampler in WAYS.items():
        begun = time.perf_counter()
        model = HierarchicalCLV(CLVConfig(num_chains=2, num_samples=200, num_tune=200))
        told = check_trace(model.fit(shop, sampler=sampler, seed=1).traces_)
        seconds = time.perf_counter() - begun
        ess = told.effective if sampler == "psis" else told.ess_bulk
        rates[name] = [ess / seconds]
        table.append((name, f"{seconds:.1f}", f"{ess:.0f}", f"{ess / seconds:.2f}"))
    best = max(rates["nutpie"][0], rates["PyMC"][0])
    text = "effective draws a second of pooled segments, against NUTS"
    claims = [Claim(text, rates["importance"][0] / best, 2, at_least=True)]
    measurements: dict[str, Any] = {"kind": "effective", "rates": rates, "ours": ["importance"]}
    method = " ".join(METHOD.format(segments=segments, customers=customers).split())
    headings = ("way", "seconds", "effective draws", "a second")
    title = "Segments: importance against NUTS"
    return Result("segment_samplers", title, method, headings, table, claims, measurements)
