"""The orders of the memory benchmark are those of its summary, and a refit that leaves something out is told."""

from __future__ import annotations

import numpy as np

from benchmarks.segment_memory import Refitted, tell
from benchmarks.segment_shop import NOW, make_orders
from benchmarks.segment_speed import draw_customers


def test_the_orders_give_the_summary_again() -> None:
    summary = draw_customers(2, 2000, 3)
    orders = make_orders(summary, 4).groupby("customer_id")["occurred_at"]
    first, last, days = orders.min(), orders.max(), orders.nunique()
    assert len(first) == len(summary)
    np.testing.assert_array_equal((NOW - first).dt.days, np.round(summary["T"] * 7))
    np.testing.assert_array_equal((last - first).dt.days, np.round(summary["recency"] * 7))
    again = days.to_numpy() - 1
    assert np.all(again <= summary["frequency"]) and again.sum() > 0.85 * summary["frequency"].sum()


def test_a_refit_that_was_refused_or_values_too_few_is_told() -> None:
    run = ("published", "", 20.0, {"pareto_k": 0.3})
    whole = Refitted(10, 1000, 3000, 0.5, 12.0, run, (1000, 1000, 10), [0.0, 1.0], [100.0, 200.0])
    assert whole.complete and all(claim.holds for claim in tell([whole]).claims)
    short = Refitted(10, 1000, 3000, 9.0, 1300.0, ("refused", "too slow", 20.0, None), (0, 0, 0), [], [])
    assert not any(claim.holds for claim in tell([short]).claims)
    assert tell([whole, short]).table[1][-1] == "refused: too slow"
