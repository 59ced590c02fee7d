"""How long the hierarchical posterior takes and how much memory it needs: 100 segments of 1,000 customers and more."""

from __future__ import annotations

import resource
import time
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.results import Claim, Result
from benchmarks.segment_shops import SCATTER
from retentioncast.models.btyd.beta_geo import BetaGeo
from retentioncast.models.btyd.gamma_gamma import GammaGamma
from retentioncast.models.clv.diagnostics import check_trace
from retentioncast.models.clv.hierarchical import HierarchicalCLV

METHOD = """A shop of {segments:,} segments and {customers:,} customers, purchases by BG/NBD on whole days, spend by
Gamma-Gamma, parameters of the segments scattering by 0.3 to 0.4 in the logs. Timed: `fit` (by importance, from the
summary to draws of both parts) and `value` (every customer and segment with its intervals, 100 futures each).
Peak memory is that of the whole process, the summary included."""


def draw_customers(segments: int, customers: int, seed: int) -> pd.DataFrame:
    """A summary with segments of equal size, times in weeks, on whole days."""
    rng = np.random.default_rng(seed)
    size = customers // segments
    parts = []
    for number in range(segments):
        buying, spend = BetaGeo(), GammaGamma()
        logs = np.log([0.6, 6.0, 0.8, 2.5]) + SCATTER * rng.standard_normal(4)
        buying.params_ = dict(zip(buying.parameter_names, np.exp(logs).tolist(), strict=True))
        spend.params_ = {"p": 6.0, "q": 4.0, "v": float(40 * np.exp(0.3 * rng.standard_normal()))}
        age = rng.integers(70, 560, size) / 7.0
        rows = buying.sample(size, age, int(rng.integers(2**31)))
        days = np.maximum(np.round(rows["recency"] * 7), 1.0)
        rows["recency"] = np.where(rows["frequency"] > 0, np.minimum(days / 7, age), 0.0)
        spent = spend.sample(size, rows["frequency"], int(rng.integers(2**31)))["monetary_value"].round(2)
        columns = rows[["frequency", "recency", "T"]].assign(monetary_value=spent, segment=f"{number:04d}")
        parts.append(columns)
    return pd.concat(parts, ignore_index=True)


def run_segment_speed(segments: int = 100, customers: int = 100_000) -> Result:
    """One run in this process: memory is told of all that it did."""
    shop = draw_customers(segments, customers, 1)
    begun = time.perf_counter()
    model = HierarchicalCLV().fit(shop, sampler="psis", seed=1)
    fitted = time.perf_counter() - begun
    told = check_trace(model.traces_)
    begun = time.perf_counter()
    model.predict(shop, draws=100)
    valued = time.perf_counter() - begun
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    rate = told.effective / fitted
    what = f"{segments:,} segments, {customers:,} customers"
    numbers = (f"{fitted:.0f}", f"{valued:.0f}", f"{told.pareto_k:.2f}", f"{told.effective:.0f}", f"{rate:.2f}")
    table = [(what, *numbers, f"{peak:.2f}")]
    claims = [
        Claim(f"{what}: hierarchical posterior", fitted / 60, 30.0, "minutes"),
        Claim(f"{what}: peak memory", peak, 24.0, "GiB"),
        Claim(f"{what}: Pareto k of the weights", told.pareto_k, 0.7, "(k)"),
    ]
    headings = ("shop", "fit, s", "values, s", "Pareto k", "draws behind the worst segment", "a second", "peak GiB")
    measurements: dict[str, Any] = {"kind": "effective", "rates": {"importance": [rate]}, "ours": ["importance"]}
    method = " ".join(METHOD.format(segments=segments, customers=customers).split())
    name = f"segment_speed_{segments}"
    return Result(name, f"Segments: speed and memory, {what}", method, headings, table, claims, measurements)
