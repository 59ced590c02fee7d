"""What `python -m benchmarks segment-coverage` compares, where parameters are known: only futures can be wrong."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binom

from benchmarks.segment_coverage import KINDS, Row, Told, compare, tell
from benchmarks.value_shops import DISCOUNT_RATE, HORIZON_DAYS, ValueShop, follow
from retentioncast.models.arrays import Floats
from retentioncast.models.clv.hierarchical import HierarchicalCLV
from retentioncast.models.clv.predictive import Futures
from retentioncast.models.clv.segment_value import SHARES
from retentioncast.models.pooling.pooled import Pooled

SEGMENTS, SIZE = 160, 10
BUYING, SPEND = np.log([0.8, 6.0, 0.8, 2.5]), np.log([6.0, 4.0, 40.0])


def _known(names: tuple[str, ...], truth: Floats) -> Pooled:
    """A posterior that is the truth."""
    theta, (mu, tau) = np.repeat(truth[None], 60, axis=0), np.ones((2, 60, truth.shape[1]))
    return Pooled(names, mu, tau, theta, "psis", math.nan, np.ones(len(truth)))


@pytest.fixture(scope="module")
def shop_and_model() -> tuple[ValueShop, HierarchicalCLV]:
    rng = np.random.default_rng(8)
    buying, spend = (c + 0.3 * rng.standard_normal((SEGMENTS, c.size)) for c in (BUYING, SPEND))
    shop = follow(np.exp(buying), np.exp(spend), np.full(SEGMENTS, SIZE), rng)
    assert shop is not None
    model = HierarchicalCLV()
    model.segments_ = tuple(f"segment {i}" for i in range(SEGMENTS))
    model.pooled_ = {
        "purchases": _known(("r", "alpha", "a", "b"), buying), "spend": _known(("p", "q", "v"), spend)
    }  # fmt: skip
    return shop, model


def _compared(shop: ValueShop, model: HierarchicalCLV, horizon_days: float = HORIZON_DAYS) -> dict[str, list[Told]]:
    judged, other = (model.value(shop.summary, Futures(horizon_days, DISCOUNT_RATE, 60, seed=s)) for s in (1, 2))
    return compare(shop, judged, other, 3)


def _inside(told: Told, share: float) -> bool:
    low, high = binom.ppf((0.005, 0.995), told["counted"], share)
    return bool(low <= told["held"] <= high)


def test_intervals_of_customers_and_of_segments_hold_what_happens(
    shop_and_model: tuple[ValueShop, HierarchicalCLV],
) -> None:
    found = _compared(*shop_and_model)
    for kind, least in (("customers", 100), ("segments", 120)):
        for told, share in zip(found[kind], SHARES, strict=True):
            assert told["counted"] > least and _inside(told, share), (kind, share, told)
            assert told["everybody_held"] > (share - 0.05) * told["everybody"]


def test_intervals_of_half_the_horizon_are_found_out(
    shop_and_model: tuple[ValueShop, HierarchicalCLV],
) -> None:
    found = _compared(*shop_and_model, 0.5 * HORIZON_DAYS)
    assert not any(_inside(told, share) for told, share in zip(found["segments"][1:], SHARES[1:], strict=True))


def test_the_report_tells_of_intervals_that_hold_too_little_and_of_shops_left_out() -> None:
    def shops(of_ten: tuple[int, int, int]) -> list[Row]:
        told = [
            [Told(counted=10, held=n, one=number % 10 < n, everybody=10, everybody_held=n) for n in of_ten]
            for number in range(200)
        ]
        return [Row(shop=i, left_out="", told=dict.fromkeys(KINDS, each)) for i, each in enumerate(told)]

    narrow = tell([*shops((5, 7, 9)), Row(shop=200, left_out="somebody orders too often", told={})])
    assert [claim.value for claim in narrow.claims] == [8, 8, 8, 200] and "1 shops were left out" in narrow.method
    assert not replace(narrow.claims[0]).holds and narrow.table[1][0] == "customers"
