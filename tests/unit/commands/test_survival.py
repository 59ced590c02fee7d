"""Curves and the triangle on a terminal of 80 columns, and as files."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from retentioncast.commands.survival import show_curves, show_triangle
from retentioncast.core.errors import InvalidInput
from retentioncast.infra.survival import Curves, Row, at_day
from retentioncast.infra.survival_plots import plot_curves, plot_triangle


def step(label: str, day: int, survival: float, cancelled: int = 1) -> Row:
    low, high = max(survival - 0.1, 0.0), min(survival + 0.05, 1.0)
    row = {"label": label, "day": day, "at_risk": 100 - day // 10, "cancelled": cancelled, "survival": survival}
    return {**row, "low": low, "high": high}


CURVES = Curves(
    datetime(2026, 12, 5, tzinfo=UTC),
    [step("basic", 0, 1.0, 0), step("basic", 40, 0.8), step("basic", 200, 0.5), step("pro", 0, 1.0, 0)],
)


def cell(month: int, rate: float, kind: str, began: date) -> Row:
    ends = (rate - 0.05, rate + 0.04) if kind == "forecast" else (None, None)
    return {"cohort": began, "month": month, "size": 250, "rate": rate, "rate_low": ends[0], "rate_high": ends[1],
            "kind": kind}  # fmt: skip


BEGAN = [date(2025 + number // 12, number % 12 + 1, 1) for number in range(18)]
TRIANGLE = [
    cell(month, 0.9**month, "observed" if month <= 17 - number else "forecast", began)
    for number, began in enumerate(BEGAN)
    for month in range(18)
]  # fmt: skip


def shown(show: Callable[..., None], *arguments: Any) -> str:
    out = io.StringIO()
    show(*arguments, Console(file=out, width=80))
    return out.getvalue()


def test_a_curve_says_how_many_began_and_left_and_what_is_known_at_each_age() -> None:
    text = shown(show_curves, CURVES)
    assert "As of 2026-12-05 00:00:00 UTC" in text
    (basic,) = [line.split() for line in text.splitlines() if line.startswith("basic")]
    assert basic == ["basic", "100", "2", "100%", "(90-100)", "80%", "(70-85)", "80%", "(70-85)", "-"]
    (pro,) = [line.split() for line in text.splitlines() if line.startswith("pro")]
    assert pro == ["pro", "100", "0", "-", "-", "-", "-"]


def test_a_step_holds_until_the_next_and_nothing_is_known_beyond_the_last() -> None:
    steps = CURVES.by_label()["basic"]
    days = [at_day(steps, day) for day in (0, 39, 40, 200, 201)]
    assert [found and found["survival"] for found in days] == [1.0, 1.0, 0.8, 0.5, None]


def test_the_triangle_of_many_months_fits_and_marks_forecasts() -> None:
    text = shown(show_triangle, TRIANGLE, "")
    lines = [line for line in text.splitlines() if line.startswith("202")]
    assert len(lines) == 18 and all(len(line) <= 80 for line in lines)
    assert lines[0].split() == ["2025-01", "250", "90", "81", "66", "53", "43", "39", "31", "25", "21", "17"]
    assert lines[-1].split()[2:4] == ["(90)", "(81)"]
    assert "forecast by sBG" in text and "…" not in text


def test_without_a_forecast_the_reason_is_told() -> None:
    assert "No forecast: [too] few" in shown(
        show_triangle, [cell(0, 1.0, "observed", date(2026, 1, 1))], "No forecast: [too] few"
    )


@pytest.mark.parametrize(("name", "beginning"), [("plot.png", b"\x89PNG"), ("plot.html", b"<!doctype html>")])
def test_plots_are_files_of_their_kind(name: str, beginning: bytes, tmp_path: Path) -> None:
    plot_curves(CURVES, tmp_path / name)
    assert (tmp_path / name).read_bytes().startswith(beginning)
    plot_triangle(TRIANGLE, tmp_path / f"2-{name}")
    assert (tmp_path / f"2-{name}").read_bytes().startswith(beginning)


def test_another_kind_of_file_or_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"plots are \.png or \.html"):
        plot_curves(CURVES, tmp_path / "plot.pdf")
    with pytest.raises(InvalidInput, match="no such folder"):
        plot_triangle(TRIANGLE, tmp_path / "nowhere" / "plot.png")
