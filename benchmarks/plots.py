"""Draws each benchmark's measurements."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.stats import binom

from benchmarks.results import Result

OURS, OTHERS = "#1f6f8b", "#c9c9c9"


def plot(result: Result, file: Path) -> None:
    """Draw a result into a PNG file, in the way that its measurements' `kind` names."""
    figure = Figure(figsize=(8, 4), layout="constrained")
    kind: str = result.measurements["kind"]
    DRAWERS[kind](figure.subplots(), result.measurements)
    figure.suptitle(result.title, fontsize=11)
    figure.savefig(file, dpi=110, metadata={"Software": None})


def _rates(axes: Axes, measurements: Mapping[str, Any]) -> None:
    """Bars of medians with all repetitions as dots."""
    rates: dict[str, list[float]] = measurements["rates"]
    names = list(rates)
    for place, name in enumerate(names):
        values = sorted(rates[name])
        colour = OURS if name in measurements["ours"] else OTHERS
        axes.barh(place, values[len(values) // 2], color=colour)
        axes.plot(values, [place] * len(values), "k.", markersize=4)
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.set_xlabel(measurements.get("xlabel", "changes a second"))


def _effective(axes: Axes, measurements: Mapping[str, Any]) -> None:
    """Effective draws a second."""
    _rates(axes, measurements)
    axes.set_xscale("log")
    axes.set_xlabel("effective draws a second")


def _shrinkage(axes: Axes, measurements: Mapping[str, Any]) -> None:
    """Each segment's rate alone, pooled and in truth, by its size: the small are drawn to the centre."""
    sizes = measurements["sizes"]
    for size, alone, pooled in zip(sizes, measurements["alone"], measurements["pooled"], strict=True):
        axes.annotate("", (size, pooled), (size, alone), arrowprops={"arrowstyle": "->", "color": OTHERS})
    axes.plot(sizes, measurements["alone"], "o", color=OTHERS, label="alone")
    axes.plot(sizes, measurements["pooled"], "o", color=OURS, label="pooled")
    axes.plot(sizes, measurements["truth"], "k_", label="truth")
    axes.axhline(measurements["centre"], color=OURS, linewidth=0.8, linestyle="--", label="the population's centre")
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("customers of the segment")
    axes.set_ylabel(measurements.get("ylabel", "purchases a week (r / alpha)"))
    axes.legend(fontsize=7)


def _coverage(axes: Axes, measurements: Mapping[str, Any]) -> None:
    """How much each kind of interval holds, with its 99 % margin, against the share that it says."""
    coverages: dict[str, list[float]] = measurements["coverages"]
    for place, (mean, margin, share) in enumerate(coverages.values()):
        axes.errorbar(mean, place, xerr=margin, fmt="o", color=OURS, markersize=4)
        axes.plot([share, share], [place - 0.4, place + 0.4], color="k", lw=1)
    axes.set_yticks(range(len(coverages)), list(coverages), fontsize=7)
    axes.invert_yaxis()
    axes.set_xlabel("share of the intervals that hold what happened (black: what they say)")


def _delays(axes: Axes, measurements: Mapping[str, Any]) -> None:
    """What share has come through after how many milliseconds."""
    shares = measurements["shares"]
    for name, delays in measurements["delays_ms"].items():
        axes.plot(delays, shares, label=name, linestyle="--" if "Debezium" in name else "-")
    axes.set_xscale("log")
    axes.set_xlabel("milliseconds after the commit in the shop")
    axes.set_ylabel("share that has come through")
    axes.legend(fontsize=7)
    axes.grid(alpha=0.3)


def _memory(axes: Axes, measurements: Mapping[str, Any]) -> None:
    """Memory over time, with the steps behind it."""
    axes.plot(measurements["at_s"], measurements["memory_mb"], color=OURS)
    top = max(measurements["memory_mb"], default=1.0)
    for number, step in enumerate(measurements["steps"]):
        axes.axvspan(step["from_s"], step["to_s"], color=OTHERS, alpha=0.25 + 0.25 * (number % 2), lw=0)
        if step["to_s"] - step["from_s"] > 0.03 * measurements["total_s"]:
            middle = (step["from_s"] + step["to_s"]) / 2
            axes.text(middle, top, step["title"], rotation=90, va="top", ha="center", fontsize=7)
    axes.set_xlabel(measurements.get("xlabel", "seconds since ./setup.sh was called"))
    axes.set_ylabel(measurements.get("ylabel", "memory of all its processes, MB"))


def _places(axes: Axes, measurements: Mapping[str, Any]) -> None:
    """Where the truth lies in the posterior: all places should be equally frequent."""
    places, bins = measurements["places"], 20
    axes.hist(places, bins=bins, range=(0, 1), color=OURS)
    axes.axhline(len(places) / bins, color="k", lw=1, linestyle="--")
    axes.set_xlabel("rank of the truth in its posterior")
    axes.set_ylabel("parameters")


def _growth(axes: Axes, measurements: Mapping[str, Any]) -> None:
    """Seconds over the number of customers, a line for each contender and task."""
    for name, points in measurements["seconds"].items():
        customers, seconds = zip(*points, strict=True)
        ours = "RetentionCast" in name
        axes.plot(customers, seconds, label=name, marker="o" if ours else "s", linestyle="-" if ours else "--")
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("customers")
    axes.set_ylabel("seconds of a core")
    axes.legend(fontsize=7)
    axes.grid(alpha=0.3)


def _reliability(axes: Axes, measurements: Mapping[str, Any]) -> None:
    """What happened over what was told, by tenths, with binomial intervals."""
    told, happened, low, high = (measurements[name] for name in ("told", "happened", "low", "high"))
    axes.plot([0, 1], [0, 1], color=OTHERS, lw=1)
    axes.vlines(told, low, high, color=OURS, lw=1)
    axes.plot(told, happened, "o", color=OURS, markersize=4)
    axes.set_xlabel("told: no purchase in 39 weeks (CDNOW)")
    axes.set_ylabel("happened, with 95 % intervals")


def _ranks(axes: Axes, measurements: Mapping[str, Any]) -> None:
    """A histogram of ranks for each parameter, with the band that 99 of 100 bars should keep to."""
    histograms: dict[str, list[int]] = measurements["histograms"]
    figure, columns = cast(Figure, axes.figure), 4
    axes.remove()
    rows = -(-len(histograms) // columns)
    figure.set_size_inches(9, 1.5 * rows + 0.5)
    for place, (label, counts) in enumerate(histograms.items()):
        small = figure.add_subplot(rows, columns, place + 1)
        low, high = binom.ppf((0.005, 0.995), sum(counts), 1 / len(counts))
        small.axhspan(low, high, color=OTHERS, lw=0)
        small.bar(range(len(counts)), counts, width=1.0, color=OURS)
        small.set_title(label, fontsize=7)
        small.tick_params(labelsize=6, bottom=False, labelbottom=False)


DRAWERS: dict[str, Callable[[Axes, Mapping[str, Any]], None]] = {
    "rates": _rates,
    "delays": _delays,
    "memory": _memory,
    "places": _places,
    "effective": _effective,
    "shrinkage": _shrinkage,
    "ranks": _ranks,
    "coverage": _coverage,
    "reliability": _reliability,
    "growth": _growth,
}
