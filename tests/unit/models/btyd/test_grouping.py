"""Grouping is exact: distinct rows, summed weights, and each row finds its group."""

from __future__ import annotations

import numpy as np
import pytest

from retentioncast.models.btyd.grouping import group_rows, thin


def test_each_row_finds_its_values_again_and_weights_add_up() -> None:
    rng = np.random.default_rng(1)
    columns = tuple(rng.integers(0, 4, 500).astype(np.float64) for _ in range(3))
    weights = rng.random(500)
    groups = group_rows(columns, weights)
    assert groups.size <= 64
    for column, distinct in zip(columns, groups.columns, strict=True):
        np.testing.assert_array_equal(distinct[groups.group_of_row], column)
    assert len(set(zip(*groups.columns, strict=True))) == groups.size
    np.testing.assert_allclose(groups.weights, np.bincount(groups.group_of_row, weights))


def test_groups_ascend_so_that_rows_in_any_order_give_the_same() -> None:
    x, y = np.array([2.0, 1.0, 2.0, 1.0]), np.array([0.1, 0.3, 0.05, 0.3])
    groups = group_rows((x, y))
    assert groups.columns[0].tolist() == [1.0, 2.0, 2.0] and groups.columns[1].tolist() == [0.3, 0.05, 0.1]
    assert groups.weights.tolist() == [2.0, 1.0, 1.0]


def test_no_rows_make_no_groups() -> None:
    assert group_rows((np.empty(0), np.empty(0))).size == 0


def test_a_few_rows_that_stand_for_all_keep_weight_and_order() -> None:
    rng = np.random.default_rng(2)
    columns = (rng.poisson(2.0, 5000).astype(np.float64), rng.random(5000))
    groups = group_rows(columns)
    few = thin(groups, 300)
    assert few.size <= 300 and np.all(np.diff(few.columns[0]) >= 0)
    assert few.weights.sum() == pytest.approx(5000)
    assert few.weights @ few.columns[0] / 5000 == pytest.approx(columns[0].mean(), rel=0.01)
    assert few.weights @ few.columns[1] / 5000 == pytest.approx(columns[1].mean(), rel=0.05)
