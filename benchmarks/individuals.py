"""The two forms of the hierarchical value on the same customers: do they agree, and what does each cost?"""

from __future__ import annotations

import resource
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.results import Claim, Result
from benchmarks.segment_speed import draw_customers
from retentioncast.models.btyd.beta_geo import BetaGeo
from retentioncast.models.clv.config import CLVConfig
from retentioncast.models.clv.diagnostics import check_trace
from retentioncast.models.clv.hierarchical import HierarchicalCLV, Sampler
from retentioncast.models.clv.individual.model import IndividualCLV

SIZES = (100, 300, 1000)
MANY = 20_000
CONFIG = CLVConfig(num_samples=1000, num_tune=500, target_accept=0.9, max_individuals=1000)
WAYS: dict[str, tuple[type[HierarchicalCLV], Sampler]] = {
    "individual": (IndividualCLV, "nutpie"),
    "integrated, NUTS": (HierarchicalCLV, "nutpie"),
    "integrated, importance": (HierarchicalCLV, "psis"),
}
HEADINGS = (
    "customers", "form", "seconds", "effective draws", "a second", "segments differ by, sd", "P(alive) differs by",
    "value differs by, %", "peak GiB",
)  # fmt: skip

METHOD = """Shops of 3 segments, drawn as for the speed of segments, purchases on whole days. The individual form, and
the integrated one by NUTS (nutpie: 4 chains of 1,000 draws after 500 of tuning, target_accept 0.9) and by importance.
Seconds are the processor's, from the summary to the draws of both parts. Effective draws: the least bulk size of all
parameters, the customers' own included; of importance those behind the worst segment. Against the individual form: the
largest difference of the segments' posterior means (logs of the parameters) in its standard deviations, to be held
against 1 over the square root of the effective draws; the largest difference of a customer's P(alive) from what NUTS
drew of that customer; the mean difference of residual value, of its mean. Of {many:,} customers NUTS sees {most:,}
(`max_individuals`), the others' effects follow from its draws. Memory is the peak of the process so far."""


def run_individuals(sizes: Sequence[int] = SIZES, many: int = MANY) -> Result:
    """One run of each, small shops first."""
    rows, rates = [], dict[str, list[float]]()
    apart: dict[str, list[tuple[float, ...]]] = {name: [] for name in WAYS}
    for size in (*sizes, many):
        shop = draw_customers(3, size, 2)
        reference: IndividualCLV | None = None
        for name in WAYS if size < many else ("individual", "integrated, importance"):
            model, seconds, draws = _fit(name, shop)
            reference = model if isinstance(model, IndividualCLV) else reference
            assert reference is not None
            far = compare(model, reference, shop)
            if size < many:
                apart[name].append(far)
                rates[f"{size:,}: {name}"] = [draws / seconds]
            told = (seconds, draws, draws / seconds, *far, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20)
            rows.append((f"{size:,}", name, *(f"{value:.3g}" if value < 1000 else f"{value:,.0f}" for value in told)))
    method = " ".join(METHOD.format(many=many, most=CONFIG.max_individuals).split())
    ours = [name for name in rates if name.endswith("individual")]
    measurements: dict[str, Any] = {"kind": "effective", "rates": rates, "ours": ours}
    return Result(
        "individuals", "A parameter a customer, or none", method, HEADINGS, rows, _claims(apart), measurements
    )


def compare(model: HierarchicalCLV, reference: IndividualCLV, shop: pd.DataFrame) -> tuple[float, float, float]:
    """How far segments, P(alive) and residual value (in percent) lie from those of the individual form."""
    segments = max(_segments_apart(model, reference, part) for part in ("purchases", "spend"))
    values, others = (each.predict(shop, draws=50)["residual_value"] for each in (model, reference))
    return segments, _alive_apart(model, reference, shop), float(100 * (values - others).abs().mean() / others.mean())


def _fit(name: str, shop: pd.DataFrame) -> tuple[HierarchicalCLV, float, float]:
    """The model, processor seconds, effective draws."""
    form, sampler = WAYS[name]
    begun = time.process_time()
    model = form(CONFIG).fit(shop, sampler=sampler, seed=1)
    seconds = time.process_time() - begun
    told = check_trace(model.traces_)
    return model, seconds, told.effective if sampler == "psis" else told.ess_bulk


def _segments_apart(model: HierarchicalCLV, reference: HierarchicalCLV, part: str) -> float:
    ours, theirs = model.pooled_[part].theta, reference.pooled_[part].theta
    return float(np.abs((ours.mean(axis=0) - theirs.mean(axis=0)) / theirs.std(axis=0)).max())


def _alive_apart(model: HierarchicalCLV, reference: IndividualCLV, shop: pd.DataFrame) -> float:
    """Customers integrated out under the model's draws, against what NUTS drew of those that it saw."""
    drawn = reference.sampled_effects()["probability_alive"].dropna()
    seen, worst = shop.loc[drawn.index], 0.0
    for index, name in enumerate(model.segments_):
        rows = seen[seen["segment"] == name]
        draws = model.pooled_["purchases"].of_segment(index)
        alive = BetaGeo().probability_alive(rows["frequency"], rows["recency"], rows["T"], draws).mean(axis=0)
        worst = max(worst, float((drawn[rows.index] - alive).abs().max()))
    return worst


def _claims(apart: dict[str, list[tuple[float, ...]]]) -> list[Claim]:
    """Of the shops that both forms take whole."""
    segments, alive, value = (max(column) for column in zip(*apart["integrated, NUTS"], strict=True))
    what = "individual and integrated form by NUTS"
    return [
        Claim(f"{what}: segments' means apart", segments, 0.4, "standard deviations"),
        Claim(f"{what}: P(alive) of a customer apart", alive, 0.05, ""),
        Claim(f"{what}: value of a customer apart", value, 5.0, "%"),
    ]
