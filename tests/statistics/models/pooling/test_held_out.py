"""Pooled segments predict other customers better than each alone and than all as one; the wide run is a command."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.segments import PARTS, compare


@pytest.mark.parametrize("part", ["purchases", "spend"])
def test_pooling_beats_none_and_full_pooling_on_held_out_customers(part: str) -> None:
    scores, pooled, alone = compare(PARTS[part].draw(20, 20_000), 0)
    assert scores["pooled"].mean() > scores["alone"].mean()
    assert scores["pooled"].mean() > scores["as one"].mean()
    share = pooled.shrinkage(alone)
    assert 0.2 < np.median(share) < 1.0
