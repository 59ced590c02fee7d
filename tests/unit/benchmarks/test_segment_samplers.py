"""The report of the samplers: effective draws a second, whoever drew them."""

from __future__ import annotations

import pytest

from benchmarks.segment_samplers import LARGE, tell
from retentioncast.models.clv.diagnostics import Diagnostics


def test_the_claim_is_the_ratio_to_the_better_of_the_two_samplers() -> None:
    result = tell(
        LARGE,
        {
            "importance": (Diagnostics("psis", 1000, effective=900.0), 30.0),
            "nutpie, centred": (Diagnostics("nuts", 500, ess_bulk=100.0, r_hat=1.0, at_depth=0.25), 50.0),
            "PyMC, centred": (Diagnostics("nuts", 200, ess_bulk=50.0, r_hat=1.0, at_depth=0.25), 100.0),
        },
    )
    assert result.claims[0].value == pytest.approx(15.0) and result.claims[0].holds
    assert result.table[1] == ("nutpie, centred", "1 x 500 after 300", "50", "100", "2.000", "25%")
    assert "100,000 customers" in result.title
