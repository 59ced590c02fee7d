"""The reliability diagram: predicted across, happened up; right is the diagonal."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from retentioncast.infra.calibration import Row


def draw_reliability(rows: list[Row], file: Path) -> None:
    """A panel a horizon into a PNG file; bars are 95 % binomial intervals, dots as large as their tenth."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    panels = [(days, list(tenths)) for days, tenths in groupby(rows, key=lambda row: row["horizon_days"])]
    figure = Figure(figsize=(4.2 * len(panels), 4.4), layout="constrained")
    FigureCanvasAgg(figure)
    for number, (days, tenths) in enumerate(panels, start=1):
        axes = figure.add_subplot(1, len(panels), number)
        axes.plot([0, 1], [0, 1], color="0.7", linewidth=1)
        told, came = [row["mean_predicted"] for row in tenths], [row["share"] for row in tenths]
        below = [row["share"] - row["low"] for row in tenths]
        above = [row["high"] - row["share"] for row in tenths]
        axes.errorbar(told, came, yerr=[below, above], fmt="o", markersize=4, capsize=2)
        axes.set(title=f"No purchase within {days} days", xlabel="predicted", xlim=(0, 1), ylim=(0, 1), aspect="equal")
    figure.axes[0].set_ylabel("happened")
    figure.savefig(file, dpi=120)
