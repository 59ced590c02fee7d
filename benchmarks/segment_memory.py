"""Memory of a refit of segment values in the process that the scorer starts: 1,000 segments, 1,000,000 customers."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import Any

import psutil

from benchmarks.own_stack import own_stack
from benchmarks.results import Claim, Result
from benchmarks.segment_shop import fill_mirror
from benchmarks.segment_speed import draw_customers
from retentioncast.infra.postgres import connect
from retentioncast.infra.settings import ScorerSettings
from scorer.hierarchical.beside import PATIENCE

#: Segments and customers. The smaller shop shows how memory grows.
SHOPS = ((100, 100_000), (1_000, 1_000_000))
LOOK_S = 0.25
#: Of 24 GiB, on which the whole stack runs.
MOST_GIB = 8.0

METHOD = """Orders of a made-up shop stand in the mirror of an own Postgres. One refit of segment values is run by
`python -m scorer.hierarchical`, the process that the scorer starts, with the scorer's own settings ({draws} futures a
customer): it reads the customers, fits both parts by importance, values every customer and segment with intervals of
50, 80 and 95 %, and publishes them. Peak memory is `ru_maxrss` of that process; Postgres has its own. Time is the
processor's, of that process."""

COUNT = """select count(*), count(residual_value_high_95), count(distinct segment) from scores.hierarchical_values"""
LAST_RUN = """select status, reason, duration_s, parameters -> 'fits' -> -1 -> 'diagnostics' from scores.model_runs
where kind = 'segment values' order by run_id desc limit 1"""


@dataclass(frozen=True, slots=True)
class Refitted:
    """What one refit took, and what it left in `scores`."""

    segments: int
    customers: int
    orders: int
    peak_gib: float
    processor_s: float
    run: tuple[Any, ...]
    valued: tuple[int, ...]
    at_s: list[float]
    memory_mb: list[float]

    @property
    def complete(self) -> bool:
        """Published, with every customer's intervals and all segments."""
        return self.run[0] == "published" and self.valued == (self.customers, self.customers, self.segments)


def run_segment_memory(shops: tuple[tuple[int, int], ...] = SHOPS) -> Result:
    """One refit of each shop, the plot of the last."""
    return tell([_measure(*shop) for shop in shops])


def tell(found: list[Refitted]) -> Result:
    """The report: a row a shop, and the claims of the largest."""
    last, table = found[-1], [_row(each) for each in found]
    what = f"{last.segments:,} segments, {last.customers:,} customers"
    asked = ScorerSettings()
    claims = [
        Claim(f"{what}: peak memory of the whole refit", last.peak_gib, MOST_GIB, "GiB"),
        Claim(f"{what}: processor time of the refit", last.processor_s / 60, _most_minutes(asked), "minutes"),
        Claim(f"{what}: refits that left every value with its intervals", float(last.complete), 1, "", at_least=True),
    ]
    headings = (
        "segments",
        "customers",
        "orders",
        "peak GiB",
        "processor, s",
        "the run's seconds",
        "Pareto k",
        "status",
    )
    measurements = {
        "kind": "memory", "at_s": last.at_s, "memory_mb": last.memory_mb, "steps": [],
        "total_s": max(last.at_s, default=0.0), "xlabel": "seconds since the process began",
        "ylabel": "memory of the refit's process, MB",
    }  # fmt: skip
    method = " ".join(METHOD.format(draws=asked.draws).split())
    return Result("segment_memory", "Segments: memory of a refit", method, headings, table, claims, measurements)


def _most_minutes(asked: ScorerSettings) -> float:
    """The scorer ends a refit that takes longer."""
    return PATIENCE * asked.segments.budget_s / 60


def _row(of: Refitted) -> tuple[str, ...]:
    status, reason, seconds, diagnostics = of.run
    numbers = (f"{of.segments:,}", f"{of.customers:,}", f"{of.orders:,}", f"{of.peak_gib:.2f}", f"{of.processor_s:.0f}")
    k = diagnostics and diagnostics["pareto_k"]
    told = "published" if of.complete else f"{status}: {reason}"
    return (*numbers, f"{seconds:.0f}", "" if k is None else f"{k:.2f}", told)


def _measure(segments: int, customers: int) -> Refitted:
    with own_stack(capture=False) as stack:
        orders = fill_mirror(stack.settings, draw_customers(segments, customers, 1), 1)
        peak, processor, at_s, memory = _refit()
        with connect(stack.settings, "reader") as connection:
            run, valued = (connection.execute(query).fetchone() or () for query in (LAST_RUN, COUNT))
    return Refitted(segments, customers, orders, peak, processor, run, valued, at_s, memory)


def _refit() -> tuple[float, float, list[float], list[float]]:
    """Peak memory (GiB) and processor time (s) of the process as the kernel tells them at its end, and its memory (MB)
    while it runs."""
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    begun, at_s, memory = time.perf_counter(), list[float](), list[float]()
    process = subprocess.Popen([sys.executable, "-m", "scorer.hierarchical"], env=os.environ | threads)
    seen = psutil.Process(process.pid)
    while True:
        ended, status, used = os.wait4(process.pid, os.WNOHANG)
        if ended:
            process.returncode = os.waitstatus_to_exitcode(status)
            return used.ru_maxrss / 2**20, used.ru_utime + used.ru_stime, at_s, memory
        at_s.append(time.perf_counter() - begun)
        memory.append(seen.memory_info().rss / 2**20)
        time.sleep(LOOK_S)
