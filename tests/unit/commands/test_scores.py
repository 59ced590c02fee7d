"""Scores on a terminal of 80 columns."""

from __future__ import annotations

import io
from datetime import UTC, datetime

from rich.console import Console

from retentioncast.commands.scores import money, show_scores
from retentioncast.infra.scores import Row

ROW: Row = {
    "customer_id": 1234, "name": "Anastasia Bartholomew-Montgomery", "no_purchase_30d": 0.987,
    "no_purchase_30d_low": 0.9,
    "no_purchase_30d_high": 1.0, "no_purchase_90d": 0.5, "online_no_order_30d": None, "residual_value": 12345.6,
    "residual_value_low": 1.2, "residual_value_high": 20000.0, "latest_purchase": datetime(2026, 1, 2, tzinfo=UTC),
    "as_of": datetime(2026, 2, 1, tzinfo=UTC), "run_id": 7,
}  # fmt: skip


def test_a_row_fits_and_tells_risk_and_value_with_their_intervals() -> None:
    out = io.StringIO()
    show_scores([ROW], Console(file=out, width=80))
    text = out.getvalue()
    assert "As of 2026-02-01 00:00:00 UTC (run 7)" in text
    assert all(part in text for part in ("99% (90-100)", "50%", "12,346 (1-20,000)", "2026-01-02"))
    assert "…" not in text


def test_a_value_without_interval_or_unknown_is_told_plainly() -> None:
    assert money({"residual_value": 5.0}, "residual_value") == "5"
    assert money({"residual_value": None}, "residual_value") == "-"
