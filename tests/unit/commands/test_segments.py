"""Segments on a terminal of 80 columns."""

from __future__ import annotations

import io
from datetime import UTC, datetime

from rich.console import Console

from retentioncast.commands.segments import show_segments
from retentioncast.infra.segments import Row

ROW: Row = {
    "segment": "a channel of a very long name", "customers": 12345, "residual_value": 1234567.8,
    "residual_value_low_80": 1000000.0, "residual_value_high_80": 1500000.0, "residual_value_low_95": 900000.0,
    "residual_value_high_95": 1600000.4, "new_customer_value": None, "as_of": datetime(2026, 2, 1, tzinfo=UTC),
    "run_id": 7,
}  # fmt: skip


def test_a_row_fits_and_tells_value_with_its_intervals_and_why_it_is_not_the_latest() -> None:
    out = io.StringIO()
    show_segments([ROW], "The last refit was refused: too few.", Console(file=out, width=80))
    text = out.getvalue()
    assert "As of 2026-02-01 00:00:00 UTC (run 7)" in text
    assert all(part in text for part in ("12,345", "1,234,568 (1,000,000-1,500,000)", "a channel of a"))
    assert "too few" in text and "…" not in text
