"""Simulation-based calibration: is the truth as likely at every rank of the posterior, and in its intervals as often?

Talts, Betancourt, Simpson, Vehtari & Gelman (2018): parameters are drawn from the prior, data from them, a posterior
from these; the truth's rank among independent draws is uniform if all of it is right. No shop is left out.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict

import numpy as np
from scipy.stats import binom, chisquare

from benchmarks.recovery_shops import CUSTOMERS, draw_shop, models
from benchmarks.results import Claim, Result
from retentioncast.core.errors import RetentionCastError

logger = logging.getLogger(__name__)

WORK = Path(__file__).parent / ".work" / "recovery"
SHARES = (0.5, 0.8, 0.94)
#: Draws among which the truth is ranked, and bins of the 100 ranks.
RANKED, BINS = 99, 20
#: Shops that tell something of a model whose fits are too slow for a thousand.
FEWEST = 200


class Row(TypedDict):
    """What came of one shop: by parameter, the truth's rank and whether each interval held it."""

    shop: int
    source: str
    pareto_k: float | None
    seconds: float
    ranks: list[int]
    held: list[list[bool]]
    error: str


def run_recovery(names: list[str] | None, shops: int, work: Path = WORK) -> Result:
    """Fit what is still missing of the named models' shops (all models' unless named).

    The result tells of every model that has so many shops by now, or at least 200 of them; one that was stopped before
    is not in it yet.
    """
    for name in names or models():
        for row in missing_rows(name, shops, work):
            with _file(name, work).open("a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")
    found = {name: read_rows(name, work)[:shops] for name in models()}
    return tell({name: rows for name, rows in found.items() if len(rows) >= min(shops, FEWEST)})


def missing_rows(name: str, shops: int, work: Path) -> Iterator[Row]:
    """The shops that no earlier run came to, one by one."""
    _file(name, work).parent.mkdir(parents=True, exist_ok=True)
    for number in range(len(read_rows(name, work)), shops):
        yield fit_shop(models()[name], number)
        if (number + 1) % 100 == 0:
            logger.info("%s: %d of %d shops.", name, number + 1, shops, extra={"action": "recover"})


def fit_shop(model_class: type[Any], number: int) -> Row:
    """One shop: a fit that fails is told of, not left out."""
    shop, begun = draw_shop(model_class, number), time.perf_counter()
    row = Row(shop=number, source="none", pareto_k=None, seconds=0.0, ranks=[], held=[], error="")
    try:
        model = model_class().fit(*shop.columns, method="laplace", seed=shop.seed)
    except RetentionCastError as error:
        row["error"] = str(error)
        return row
    posterior = model.posterior_
    below = posterior.draw(RANKED, shop.seed + 1) < shop.truth
    bounds = [list(posterior.interval(share).values()) for share in SHARES]
    row["held"] = [
        [bool(low <= truth <= high) for (low, high), truth in zip(pairs, shop.truth, strict=True)] for pairs in bounds
    ]
    row["ranks"], row["source"] = below.sum(axis=0).tolist(), posterior.source
    row["pareto_k"] = posterior.pareto_k if np.isfinite(posterior.pareto_k) else None
    row["seconds"] = round(time.perf_counter() - begun, 3)
    return row


def read_rows(name: str, work: Path = WORK) -> list[Row]:
    """What earlier runs have written of a model."""
    file = _file(name, work)
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()] if file.exists() else []


def flatness(ranks: list[int]) -> float:
    """p value of the chi-square test that the ranks (0 to 99) are uniform."""
    return float(chisquare(histogram(ranks)).pvalue)


def histogram(ranks: list[int]) -> list[int]:
    """How many ranks fall into each bin."""
    return [int(count) for count in np.histogram(ranks, bins=BINS, range=(0, RANKED + 1))[0]]


def band(shops: int, share: float) -> tuple[float, float]:
    """The share of intervals that hold the truth, in 99 of 100 repetitions, if they are right."""
    low, high = binom.ppf((0.005, 0.995), shops, share) / shops
    return float(low), float(high)


def tell(rows: dict[str, list[Row]]) -> Result:
    """Table, claims and rank histograms of all models."""
    judged = [judge(name, place, parameter, rows[name]) for name in rows for place, parameter in _parameters(name)]
    held = [f"{share:.0%} interval" for share in SHARES]
    headings = ["model", "parameter", "shops", *held, "p, ranks flat", "draws from"]
    histograms = {" ".join(one.cells[:2]): one.histogram for one in judged}
    return Result(
        "recovery", "Recovery: where the truth lies among the posterior's draws", _method(), headings,
        [one.cells for one in judged], _claims(rows, judged),
        {"kind": "ranks", "histograms": histograms},
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Judged:
    """One parameter of one model: its row of the table, coverages outside their band, p of flat ranks, histogram."""

    cells: list[str]
    outside: int
    p: float
    histogram: list[int]


def judge(name: str, place: int, parameter: str, of_model: list[Row]) -> Judged:
    """The coverage and the ranks of one parameter over all shops."""
    fitted = [row for row in of_model if not row["error"]]
    ranks = [row["ranks"][place] for row in fitted]
    covered = [float(np.mean([row["held"][level][place] for row in fitted])) for level in range(len(SHARES))]
    inside = [_inside(share, held, len(fitted)) for share, held in zip(SHARES, covered, strict=True)]
    told = [_told(share, held, len(fitted)) for share, held in zip(SHARES, covered, strict=True)]
    cells = [name, parameter, str(len(fitted)), *told, f"{flatness(ranks):.3f}", _sources(fitted)]
    return Judged(cells, inside.count(False), flatness(ranks), histogram(ranks))


def _claims(rows: dict[str, list[Row]], judged: list[Judged]) -> list[Claim]:
    failed = sum(bool(row["error"]) for of_model in rows.values() for row in of_model)
    n = len(judged) * len(SHARES)
    lowest = min(1.0, min((one.p for one in judged), default=1.0) * len(judged))
    tests = f"lowest p of {len(judged)} chi-square tests that the ranks are flat, times their number"
    return [
        Claim("Recovery: shops that could not be fitted", failed, 0, "shops"),
        Claim(
            f"Recovery: of {n} coverages, those outside the 99 % band", sum(o.outside for o in judged), 0, "coverages"
        ),
        Claim(f"Recovery: {tests}", lowest, 0.01, "", at_least=True),
    ]


def _parameters(name: str) -> list[tuple[int, str]]:
    return list(enumerate(models()[name].parameter_names))


def _inside(share: float, held: float, shops: int) -> bool:
    low, high = band(shops, share)
    return low <= held <= high


def _told(share: float, held: float, shops: int) -> str:
    low, high = band(shops, share)
    outside = "" if low <= held <= high else "**outside** "
    return f"{held:.1%} ({outside}{low:.1%} to {high:.1%})"


def _sources(rows: list[Row]) -> str:
    counts = {source: sum(row["source"] == source for row in rows) for source in ("psis", "nuts")}
    median = float(np.median([row["seconds"] for row in rows]))
    return f"{counts['psis']} psis, {counts['nuts']} nuts; {median:.2f} s a fit"


def _method() -> str:
    return (
        f"Of each model, shops of {CUSTOMERS} customers with parameters drawn from its priors, fitted with "
        '`method="laplace"`: how often the 50, 80 and 94 % intervals hold the true parameter (in brackets the 99 % '
        f"binomial band), and whether its rank among {RANKED} draws is uniform (chi-square, {BINS} bins). Of a hundred "
        "coverages one lies outside by chance. `python -m benchmarks recovery`, which goes on where it stopped."
    )


def _file(name: str, work: Path) -> Path:
    return work / f"{name}.jsonl"
