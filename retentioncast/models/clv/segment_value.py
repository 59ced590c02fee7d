"""What customers of pooled segments will still bring, each one and each segment, with predictive intervals."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import cast

import numpy as np
import pandas as pd

from retentioncast.models.arrays import Floats, Integers
from retentioncast.models.btyd.gamma_gamma import GammaGamma
from retentioncast.models.btyd.purchase_columns import PURCHASE_COLUMNS, from_frame, read_purchases, read_spend
from retentioncast.models.btyd.repeat_buying import RepeatBuyingModel
from retentioncast.models.btyd.time_unit import DAYS_PER_UNIT, require_unit
from retentioncast.models.clv.ports import PurchaseModel
from retentioncast.models.clv.predictive import Futures, chunks, nested_bounds, simulate_values
from retentioncast.models.clv.residual_value import discounted_purchases
from retentioncast.models.pooling.pooled import Pooled

#: Shares of the futures that the intervals hold.
SHARES = (0.5, 0.8, 0.95)
#: What a prediction rests on: the customer's own purchases, the segment's other customers, the population of segments.
OWN, SEGMENT, POPULATION = "own", "segment", "population"
#: residual_value_low_50, residual_value_high_50, residual_value_low_80, ...
INTERVALS = tuple(f"residual_value_{end}_{share * 100:.0f}" for share in SHARES for end in ("low", "high"))
VALUES = ("expected_purchases", "expected_spend", "residual_value", *INTERVALS)


@dataclass(frozen=True, slots=True, eq=False)
class PooledModel:
    """Pooled purchases and spend (in money), by segment name."""

    family: RepeatBuyingModel
    names: tuple[str, ...]
    purchases: Pooled
    spend: Pooled
    min_transactions: int

    def at(self, index: int, draws: int, seed: int) -> tuple[PurchaseModel, GammaGamma, Floats, Floats]:
        """Purchase and spend model at the centre of a segment's posterior (-1: of one never seen), and draws (n, k)."""
        of = (self.purchases, self.spend)
        first, second = ((each.of_segment(index) if index >= 0 else each.of_new_segment(seed)) for each in of)
        purchases, spend = type(self.family)(time_unit=self.family.time_unit), GammaGamma()
        centres = [np.exp(each.mu.mean(axis=0) if index < 0 else each.theta[:, index].mean(axis=0)) for each in of]
        purchases.params_ = dict(zip(purchases.parameter_names, centres[0].tolist(), strict=True))
        spend.params_ = dict(zip(spend.parameter_names, centres[1].tolist(), strict=True))
        return cast(PurchaseModel, purchases), spend, _thin(first, draws), _thin(second, draws)


@dataclass(frozen=True, slots=True, eq=False)
class Valued:
    """Customers (a row each, on the index asked for) and segments (a row each, by name) with their values."""

    customers: pd.DataFrame
    segments: pd.DataFrame


def value_customers(model: PooledModel, customers: pd.DataFrame, asked: Futures) -> Valued:
    """Value of each customer of a summary in lifetimes' shape with `segment`, and of all customers of each segment.

    `residual_value` is the expectation at the centre of the segment's posterior (NaN where spend has no finite mean);
    the intervals are of what will happen, parameters uncertain too. Same seed and customers, same numbers, whatever the
    order. Raises InvalidColumn.
    """
    rows, codes, labels = read_customers(model, customers)
    names = np.array([*model.names, ""], dtype=object)[codes]
    columns = {name: np.empty(codes.size) for name in VALUES}
    segments: dict[str, dict[str, float | str]] = {}
    for code, places in by_code(codes, customers.index):
        part = tuple(column[places] for column in rows)
        name = model.names[code] if code >= 0 else ""
        found, told = _value_segment(model, code, part, asked)
        for column, values in found.items():
            columns[column][places] = values
        segments[name] = told
    basis = np.where(codes < 0, POPULATION, np.where(rows[0] + 1 >= model.min_transactions, OWN, SEGMENT))
    segment = np.where(codes < 0, labels.to_numpy(dtype=object), names)
    frame = pd.DataFrame({"segment": segment, "basis": basis, **columns}, customers.index)
    return Valued(frame, pd.DataFrame.from_dict(segments, orient="index"))


def read_customers(model: PooledModel, customers: pd.DataFrame) -> tuple[tuple[Floats, ...], Integers, pd.Series]:
    """Checked columns x, t_x, T and m (n,), the number of each one's segment (-1: never seen), and its label."""
    require_unit(customers, model.family.time_unit)
    (labels,) = from_frame(customers, ("segment",))
    x, t_x, age = (np.atleast_1d(c) for c in read_purchases(*from_frame(customers, PURCHASE_COLUMNS)))
    _, m = read_spend(*from_frame(customers, ("frequency", "monetary_value")))
    numbers = {name: number for number, name in enumerate(model.names)}
    known = labels.astype(str).where(labels.notna()).map(numbers)
    return (x, t_x, age, np.atleast_1d(m)), known.fillna(-1).to_numpy().astype(np.int64), labels


def seed_of(model: PooledModel, code: int, seed: int) -> int:
    """A segment's own seed, the same whichever others there are."""
    return zlib.crc32(model.names[code].encode() if code >= 0 else b"") + seed


def by_code(codes: Integers, index: pd.Index) -> Iterator[tuple[int, Integers]]:
    """Each segment's places, by the customers' order in the index."""
    order = np.lexsort((index.argsort().argsort(), codes))
    edges = np.flatnonzero(np.diff(codes[order], prepend=-2))
    for start, end in zip(edges, [*edges[1:], codes.size], strict=True):
        places = order[start:end]
        yield int(codes[places[0]]), places


def _value_segment(
    model: PooledModel, code: int, rows: tuple[Floats, ...], asked: Futures
) -> tuple[dict[str, Floats], dict[str, float | str]]:
    """The columns of a segment's customers (x, t_x, T, m), and the segment's own row."""
    seed = seed_of(model, code, asked.seed)
    purchases, spend, of_purchases, of_spend = model.at(code, asked.draws, seed)
    bought, an_order, value = _expected(purchases, spend, rows, asked)
    columns = {"expected_purchases": bought, "expected_spend": an_order, "residual_value": value}
    columns |= {name: np.empty(value.size) for name in INTERVALS}
    totals = np.zeros(len(of_purchases))
    rng = np.random.default_rng(seed)
    for part in chunks(value.size, len(of_purchases)):
        futures = simulate_values(purchases, spend, tuple(c[part] for c in rows), of_purchases, of_spend, asked, rng)
        totals += futures.sum(axis=1)
        for name, values in zip(INTERVALS, chain.from_iterable(nested_bounds(futures, SHARES)), strict=True):
            columns[name][part] = values
    told: dict[str, float | str] = {"basis": SEGMENT if code >= 0 else POPULATION, "customers": float(value.size)}
    told["residual_value"] = float(value.sum())
    of_total = chain.from_iterable(nested_bounds(totals[:, None], SHARES))
    told |= {name: float(values[0]) for name, values in zip(INTERVALS, of_total, strict=True)}
    newcomer = _expected(purchases, spend, tuple(np.zeros((4, 1))), asked)
    told["new_customer_value"] = float(newcomer[2][0])
    return columns, told


def _expected(
    purchases: PurchaseModel, spend: GammaGamma, rows: tuple[Floats, ...], asked: Futures
) -> tuple[Floats, Floats, Floats]:
    """Purchases within the horizon, spend an order, and discounted value (m,) in expectation."""
    x, t_x, age, m = rows
    bought = purchases.expected_purchases(asked.horizon_days / DAYS_PER_UNIT[purchases.time_unit], x, t_x, age)
    discounted = discounted_purchases(purchases, x, t_x, age, asked.horizon_days, asked.discount_rate)
    p, q, v = spend._columns(None)
    finite = p * x + q > 1
    an_order = np.where(finite, p * (v + x * m) / np.where(finite, p * x + q - 1, 1.0), np.nan)
    return bought, an_order, discounted * an_order


def _thin(draws: Floats, n: int) -> Floats:
    """n of the draws, evenly spaced; all where there are fewer."""
    return draws[np.linspace(0, len(draws) - 1, min(n, len(draws))).astype(np.int64)]
