"""What the scorer would have published on a day, held against what came: CDNOW's weeks 40 to 78, and two made-up shops.

Families, weights and recalibration are chosen from the log up to that day and nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast

import numpy as np
import pandas as pd

from benchmarks.corrections import gains
from benchmarks.results import Claim, Result
from retentioncast.imports.cdnow import find_cdnow
from retentioncast.imports.rows import RawRow
from retentioncast.models.arrays import Floats
from retentioncast.models.btyd.families import FAMILIES
from retentioncast.models.btyd.repeat_buying import RepeatBuyingModel
from retentioncast.models.clv.ports import PurchaseModel
from retentioncast.models.judging.backtest import fit_family, tell
from retentioncast.models.judging.calibration import calibration_error, calibration_table
from retentioncast.models.judging.judgement import Evidence, gather_evidence
from retentioncast.models.judging.measures import measure
from retentioncast.models.judging.purchase_days import Cut, PurchaseDays
from retentioncast.models.judging.stack import Stack

HORIZONS = (30, 60, 90)
LONGER = (120, 180, 273)
#: 1997-09-30, CDNOW's week 39.
CDNOW_DAY = (datetime(1997, 9, 30, tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)).days
SHOP_CUSTOMERS, SHOP_DAYS, LOOKED_AT = 100_000, 420, 5

METHOD = """What would have been published on 1997-09-30 of the CDNOW sample (2,357 customers), and what then happened:
families and weights from rolling origins before that day, at 30, 60 and 90 days; the longer horizons are what the same
models say. Calibration error: mean over tenths of |told - happened|, weighted, in points; `perfect`: what it would be
on average if exactly what was told were true, which is what chance leaves of it. The made-up shops have {customers:,}
customers who came evenly over the first half of {days} days and who leave after a purchase (BG/NBD) or at a time of
their own (Pareto/NBD); every {looked_at}th of them is looked at to choose.
`tried` are corrections of the probabilities: their gain in log score, with its standard error, at origins before the
day that they were not fitted to."""


@dataclass(frozen=True, slots=True, eq=False)
class Held:
    """One shop: what would have been published on the cut's day, and what happened by horizon."""

    name: str
    evidence: Evidence
    stack: Stack
    cut: Cut


def hold(name: str, log: PurchaseDays, sample: PurchaseDays, today: int, horizons: Sequence[int]) -> Held:
    """`sample` is what the choice may look at; it ends today."""
    evidence = gather_evidence(sample, today, HORIZONS, FAMILIES)
    if evidence is None:
        raise RuntimeError(f"{name} has too short a history to be judged")
    cut = log.cut(today, tuple(horizons))
    weights = evidence.choice.weights
    members = [cast(PurchaseModel, fit_family(FAMILIES[family], cut)) for family in weights]
    return Held(name, evidence, Stack(members, list(weights.values()), evidence.choice.curve), cut)


def cdnow() -> Held:
    rows = [row for row in find_cdnow().rows() if isinstance(row, RawRow)]
    log = pd.DataFrame({
        "customer_id": [int(row.customer) for row in rows],
        "day": [(datetime.strptime(row.time, "%Y%m%d").replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)).days
                for row in rows],
        "amount": [float(row.amount) for row in rows],
    }).groupby(["customer_id", "day"], as_index=False)["amount"].sum()  # fmt: skip
    before = PurchaseDays(pd.DataFrame(log[log["day"] <= CDNOW_DAY]))
    return hold("CDNOW", PurchaseDays(pd.DataFrame(log)), before, CDNOW_DAY, (*HORIZONS, *LONGER))


def made_up(
    leaves_after_purchases: bool, seed: int, customers: int = SHOP_CUSTOMERS, looked_at: int = LOOKED_AT
) -> Held:
    """A shop that follows BG/NBD or Pareto/NBD; every `looked_at`th customer is looked at to choose."""
    rng = np.random.default_rng(seed)
    day = rng.integers(0, SHOP_DAYS // 2, customers).astype(np.float64)
    rate = rng.gamma(0.6, 1 / 5.0, customers) / 7
    leaves = np.clip(rng.beta(0.8, 3.0, customers), 1e-9, 1.0)
    end = np.full(customers, SHOP_DAYS - 1.0)
    if not leaves_after_purchases:
        end = np.minimum(end, day + 7 * rng.exponential(size=customers) / rng.gamma(0.6, 1 / 11.0, customers))
    there, found = np.arange(customers), [(np.arange(customers), day.copy())]
    while there.size:
        with np.errstate(divide="ignore"):
            day[there] += rng.exponential(size=there.size) / rate[there]
        there = there[day[there] < end[there]]
        found.append((there, day[there]))
        there = there[rng.random(there.size) >= leaves[there]] if leaves_after_purchases else there
    customer, days = (np.concatenate(parts) for parts in zip(*found, strict=True))
    log = pd.DataFrame({"customer_id": customer, "day": np.floor(days).astype(np.int64), "amount": 10.0})
    log = log.drop_duplicates(["customer_id", "day"])
    today = SHOP_DAYS - 1 - HORIZONS[-1]
    sample = PurchaseDays(pd.DataFrame(log[(log["customer_id"] % looked_at == 0) & (log["day"] <= today)]))
    name = f"{customers:,} customers, {'BG' if leaves_after_purchases else 'Pareto'}/NBD"
    return hold(name, PurchaseDays(log), sample, today, HORIZONS)


def perfect(told: Floats, seed: int = 1, times: int = 200) -> float:
    """The mean calibration error of probabilities that are exactly true."""
    rng = np.random.default_rng(seed)
    return float(
        np.mean([calibration_error(told, np.where(rng.random(told.size) < told, 1.0, 0.0)) for _ in range(times)])
    )


def run_holdout(customers: int = SHOP_CUSTOMERS) -> Result:
    """CDNOW and the made-up shops."""
    log = cdnow()
    shops = [made_up(True, 1, customers), made_up(False, 2, customers)]
    table = [_row(held, days) for held in (log, *shops) for days in sorted(held.cut.happened)]
    alone = {name: cast(PurchaseModel, fit_family(family, log.cut)) for name, family in FAMILIES.items()}
    table += [_cells(f"CDNOW, {name} alone", log.cut, model, LONGER[-1]) for name, model in alone.items()]
    headings = ("shop", "published", "days", "told, %", "did, %", "log score", "RMSE", "calibration error", "perfect")
    method = " ".join(METHOD.format(customers=customers, days=SHOP_DAYS, looked_at=LOOKED_AT).split())
    tried = list(gains(log.evidence))
    table += [
        (f"CDNOW, tried: {name}", "", "30 to 90", "", "", f"{gain.mean:+.4f} ± {gain.error:.4f}", "", "", "")
        for name, gain in tried
    ]
    claims = _claims(log, shops, list(alone.values()))
    best = max(gain.mean / gain.error for _, gain in tried)
    claims.append(Claim("CDNOW, at the origins: gain of the best correction over its standard error", best, 2.0))
    title = "What would have been published, and what came"
    return Result("holdout", title, method, headings, table, claims, _drawn(log))


def _drawn(held: Held) -> dict[str, object]:
    """Told and happened by tenth, of the longest horizon."""
    bins = calibration_table(*_told(held, max(held.cut.happened)))
    return {
        "kind": "reliability",
        "told": [each.mean_predicted for each in bins],
        "happened": [each.happened / each.n for each in bins],
        "low": [each.low for each in bins],
        "high": [each.high for each in bins],
    }


def _claims(log: Held, shops: list[Held], alone: list[PurchaseModel]) -> list[Claim]:
    """Section 3 of what "done" means for the statistics of repeat buying."""
    happened = log.cut.happened[LONGER[-1]]
    ours, *families = (
        measure(told.no_purchase, told.expected, happened)
        for told in (tell(model, log.cut, LONGER[-1]) for model in (log.stack, *alone))
    )
    best = max(each.log_score for each in families)
    rmse = min(each.rmse for each in families)
    return [
        Claim(
            "CDNOW, 39 weeks: log score a customer above the best family's", ours.log_score - best, 0.0, "nats", True
        ),
        Claim("CDNOW, 39 weeks: RMSE over the best family's", 100 * (ours.rmse / rmse - 1), 0.5, "%"),
        Claim("CDNOW, no purchase in 39 weeks: calibration error", 100 * ours.calibration_error, 3.0, "points"),
        *(
            Claim(f"{held.name}, 90 days: calibration error", 100 * calibration_error(*_told(held, 90)), 1.0, "points")
            for held in shops
        ),
    ]


def _told(held: Held, days: int) -> tuple[Floats, Floats]:
    """P(no purchase) as told, and whether there was none."""
    return tell(held.stack, held.cut, days).no_purchase, np.where(held.cut.happened[days] == 0, 1.0, 0.0)


def _row(held: Held, days: int) -> tuple[str, ...]:
    return _cells(held.name, held.cut, held.stack, days)


def _cells(name: str, cut: Cut, model: PurchaseModel, days: int) -> tuple[str, ...]:
    told, happened = tell(model, cut, days), cut.happened[days]
    found = measure(told.no_purchase, told.expected, happened)
    none = happened == 0
    return (
        name, _published(model), f"{days}", f"{100 * told.no_purchase.mean():.1f}", f"{100 * none.mean():.1f}",
        f"{found.log_score:.4f}", f"{found.rmse:.4f}", f"{100 * found.calibration_error:.2f}",
        f"{100 * perfect(told.no_purchase):.2f}",
    )  # fmt: skip


def _published(model: PurchaseModel) -> str:
    if not isinstance(model, Stack):
        return ""
    families = [member.family for member in cast(tuple[RepeatBuyingModel, ...], model.members)]
    shares = (f"{100 * weight:.0f} % {family}" for family, weight in zip(families, model.weights, strict=True))
    return ", ".join(shares) + (", recalibrated" if model.recalibrate else "")
