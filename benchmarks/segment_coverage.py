"""Do the intervals of residual value hold what then happens, of a customer and of a segment, as often as they say?

Shops are drawn from the model's own priors: a right posterior with right futures then gives exact coverage.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import TypedDict

import numpy as np
import pandas as pd

from benchmarks.recovery import band
from benchmarks.results import Claim, Result
from benchmarks.value_shops import (
    DISCOUNT_RATE,
    HORIZON_DAYS,
    SEGMENTS,
    TYPICAL_SIZE,
    UNSEEN,
    ValueShop,
    draw_value_shop,
)
from retentioncast.core.errors import RetentionCastError
from retentioncast.infra.settings import ScorerSettings
from retentioncast.models.arrays import Floats
from retentioncast.models.clv.diagnostics import check_trace
from retentioncast.models.clv.hierarchical import HierarchicalCLV
from retentioncast.models.clv.predictive import Futures
from retentioncast.models.clv.segment_value import SHARES, Valued

logger = logging.getLogger(__name__)

WORK = Path(__file__).parent / ".work" / "segment_coverage.jsonl"
KINDS = ("customers", "segments", "customers of a new segment", "a new segment")
#: The normal quantile of a 99 % band.
_Z99 = 2.576

METHOD = """{shops} shops of {segments} segments (log-normal sizes about {size}) with population, segments, customers
and orders drawn from the model's priors; each fitted by importance and valued as the scorer does ({draws} futures,
{horizon:g} days, discounted). An interval is right when it holds what the customer, or all of the segment's customers
together, then bring. Counted are those who may well buy: of the 50 % intervals those that begin above 0, of the 80 %
ones those of customers who buy with 50 % or more, of the 95 % ones those who do with 20 % or more (told by other
futures than the interval's own); of the rest (0, 0) alone holds more than the share. `One a shop`: independent, with
the 99 % binomial band; `all`: with a 99 % margin from the differences between shops. A new segment is one that the fit
has not seen. {left_out} shops were left out: too little to fit, or weights that do not hold (NUTS has to decide)."""


class Told(TypedDict):
    """Of one kind of interval in one shop: how many may well buy and are held, one of them, and how many of all."""

    counted: int
    held: int
    one: bool | None
    everybody: int
    everybody_held: int


class Row(TypedDict):
    """What came of one shop: by kind, one Told a share; or why it was left out."""

    shop: int
    left_out: str
    told: dict[str, list[Told]]


def run_segment_coverage(shops: int, work: Path = WORK) -> Result:
    """Value what is still missing of so many shops, and tell of all."""
    work.parent.mkdir(parents=True, exist_ok=True)
    for row in missing_rows(shops, work):
        with work.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
    return tell(read_rows(work)[:shops])


def missing_rows(shops: int, work: Path) -> Iterator[Row]:
    """The shops that no earlier run came to."""
    for number in range(len(read_rows(work)), shops):
        yield value_shop(number)
        if (number + 1) % 20 == 0:
            logger.info("%d of %d shops.", number + 1, shops, extra={"action": "cover"})


def read_rows(work: Path) -> list[Row]:
    """What earlier runs have written."""
    return [json.loads(line) for line in work.read_text(encoding="utf-8").splitlines()] if work.exists() else []


def value_shop(number: int) -> Row:
    """Draw, fit, value and compare one shop."""
    shop = draw_value_shop(number)
    if shop is None:
        return Row(shop=number, left_out="somebody orders too often", told={})
    known = shop.summary["segment"] != UNSEEN
    try:
        model = HierarchicalCLV().fit(shop.summary[known], sampler="psis", seed=number)
    except RetentionCastError as error:
        return Row(shop=number, left_out=str(error), told={})
    if problems := check_trace(model.traces_).problems(model.config):
        return Row(shop=number, left_out="; ".join(problems), told={})
    judged, other = (model.value(shop.summary, _asked(2 * number + i)) for i in (0, 1))
    return Row(shop=number, left_out="", told=compare(shop, judged, other, number))


def compare(shop: ValueShop, judged: Valued, other: Valued, seed: int) -> dict[str, list[Told]]:
    """By kind, one Told a share; `other` futures say who may well buy."""
    rng, segment = np.random.default_rng(seed), shop.summary["segment"]
    brought = pd.Series(shop.brought, shop.summary.index)
    together = brought.groupby(segment).sum()
    found: dict[str, list[Told]] = {}
    frames = ((judged.customers, other.customers, brought, segment), (judged.segments, other.segments, together, None))
    for place, (told, again, truth, names) in enumerate(frames):
        if names is None:  # a segment that was never seen has no name of its own
            told, again = (frame.rename(index={"": UNSEEN}).loc[truth.index] for frame in (told, again))
        new = (truth.index.to_series() if names is None else names).to_numpy() == UNSEEN
        for kind, rows in ((KINDS[place], ~new), (KINDS[place + 2], new)):
            found[kind] = [_told(told[rows], again[rows], truth.to_numpy()[rows], share, rng) for share in SHARES]
    return found


def _told(told: pd.DataFrame, other: pd.DataFrame, brought: Floats, share: float, rng: np.random.Generator) -> Told:
    low, high = (told[f"residual_value_{end}_{share * 100:.0f}"].to_numpy() for end in ("low", "high"))
    held = (low <= brought) & (brought <= high)
    counted = other[_MAY_BUY[share]].to_numpy() > 0
    of_these = held[counted]
    one = bool(rng.choice(of_these)) if of_these.size else None
    return Told(
        counted=of_these.size, held=int(of_these.sum()), one=one, everybody=held.size, everybody_held=int(held.sum())
    )


#: What is above 0 of those who may well buy, by share: their chance of nothing is then well below the share.
_MAY_BUY = {0.5: "residual_value_low_50", 0.8: "residual_value_high_50", 0.95: "residual_value_high_80"}


def tell(rows: list[Row]) -> Result:
    """The table and the claims."""
    fitted = [row for row in rows if not row["left_out"]]
    table, outside, short = [], [0, 0], 0
    plotted: dict[str, list[float]] = {}
    for kind in KINDS:
        for place, share in enumerate(SHARES):
            told = [row["told"][kind][place] for row in fitted]
            one, of_one = _one_a_shop(told, share)
            mean, margin = _mean(told)
            everybody = sum(t["everybody_held"] for t in told) / max(sum(t["everybody"] for t in told), 1)
            outside[0] += not of_one
            outside[1] += abs(mean - share) > margin
            short += everybody < share - 0.02
            plotted[f"{kind}, {share:.0%}"] = [mean, margin, share]
            counted = f"{sum(t['counted'] for t in told):,}"
            table.append((kind, f"{share:.0%}", one, counted, f"{mean:.1%} ± {margin:.1%}", f"{everybody:.1%}"))
    n = len(KINDS) * len(SHARES)
    claims = [
        Claim(f"Coverage of residual value: of {n} (one a shop) those outside the binomial band", outside[0], 0, ""),
        Claim(f"Coverage of residual value: of {n} (all) those beyond the 99 % margin", outside[1], 0, ""),
        Claim(f"Coverage of residual value: of {n} (everybody) those below their share", short, 0, ""),
        Claim("Coverage of residual value: shops", len(fitted), 100, "", at_least=True),
    ]
    asked = ScorerSettings()
    method = METHOD.format(
        shops=len(rows), segments=SEGMENTS, size=TYPICAL_SIZE, draws=asked.draws, horizon=HORIZON_DAYS,
        left_out=len(rows) - len(fitted),
    )  # fmt: skip
    headings = ("interval of", "share", "one a shop (99 % band)", "who may well buy", "all (99 % margin)", "everybody")
    title = "Segments: do intervals of residual value hold what happens?"
    measurements = {"kind": "coverage", "coverages": plotted}
    return Result("segment_coverage", title, " ".join(method.split()), headings, table, claims, measurements)


def _one_a_shop(told: list[Told], share: float) -> tuple[str, bool]:
    """Coverage with its band in words, and whether it is inside."""
    ones = [t["one"] for t in told if t["one"] is not None]
    held, (low, high) = float(np.mean(ones)), band(len(ones), share)
    inside = low <= held <= high
    return f"{held:.1%} of {len(ones)} ({'' if inside else '**outside** '}{low:.1%} to {high:.1%})", inside


def _mean(told: list[Told]) -> tuple[float, float]:
    """The share of all that is held, and its 99 % margin: customers of one shop hang together, shops do not."""
    held, counted = (np.array([t[name] for t in told], dtype=np.float64) for name in ("held", "counted"))
    share = float(held.sum() / counted.sum())
    return share, _Z99 * float(np.sqrt(np.square(held - share * counted).sum()) / counted.sum())


def _asked(seed: int) -> Futures:
    return Futures(HORIZON_DAYS, DISCOUNT_RATE, ScorerSettings().draws, seed=seed)
