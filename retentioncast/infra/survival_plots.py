"""Draws survival curves and the retention triangle into a file: .png by matplotlib, .html by plotly."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from retentioncast.core.errors import InvalidInput
from retentioncast.infra.survival import Curves, Row


def plot_curves(curves: Curves, file: Path) -> None:
    """The curves with their 95 % intervals. InvalidInput for another kind of file or a folder that is not there."""
    _by_kind(file, {".png": lambda: _curves_png(curves, file), ".html": lambda: _curves_html(curves, file)})


def plot_triangle(rows: list[Row], file: Path) -> None:
    """Share of each cohort by months since the start; forecasts dashed, with intervals. Errors as `plot_curves`."""
    _by_kind(file, {".png": lambda: _triangle_png(rows, file), ".html": lambda: _triangle_html(rows, file)})


def _by_kind(file: Path, ways: dict[str, Callable[[], None]]) -> None:
    if file.suffix.lower() not in ways:
        raise InvalidInput(f"--plot {file}: plots are .png or .html.", "Give the file such a name.")
    if not file.absolute().parent.is_dir():
        raise InvalidInput(f"--plot {file}: there is no such folder.", "Make it first, or choose another.")
    ways[file.suffix.lower()]()


def _curves_png(curves: Curves, file: Path) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 5), layout="constrained")
    axes = figure.subplots()
    for label, steps in curves.by_label().items():
        days = [step["day"] for step in steps]
        (line,) = axes.step(days, [step["survival"] for step in steps], where="post", label=label)
        low, high = [step["low"] for step in steps], [step["high"] for step in steps]
        axes.fill_between(days, low, high, step="post", alpha=0.15, color=line.get_color())
    axes.set(xlabel="days since the start", ylabel="still subscribed", ylim=(0, 1.02), title=_title(curves))
    axes.legend()
    figure.savefig(file, dpi=120)


def _curves_html(curves: Curves, file: Path) -> None:
    import plotly.graph_objects as plotly

    figure = plotly.Figure()
    for label, steps in curves.by_label().items():
        days = [step["day"] for step in steps]
        for name, dash in (("survival", None), ("low", "dot"), ("high", "dot")):
            style = {"shape": "hv", "dash": dash, "width": 1 if dash else 2}
            values = [step[name] for step in steps]
            title = label if name == "survival" else f"{label} {name}"
            figure.add_scatter(x=days, y=values, mode="lines", line=style, name=title, legendgroup=label)
    figure.update_layout(title=_title(curves), xaxis_title="days since the start", yaxis_title="still subscribed")
    figure.write_html(file, include_plotlyjs=True)


def _title(curves: Curves) -> str:
    return f"Survival of subscriptions as of {curves.as_of:%Y-%m-%d}, with 95 % intervals"


def _cohorts(rows: list[Row]) -> dict[str, tuple[list[Row], list[Row]]]:
    """Observed and forecast cells by cohort; the forecast begins at the last observed cell."""
    found: dict[str, tuple[list[Row], list[Row]]] = {}
    for row in rows:
        observed, forecast = found.setdefault(f"{row['cohort']:%Y-%m}", ([], []))
        (observed if row["kind"] == "observed" else forecast).append(row)
    return {label: (seen, [*seen[-1:], *ahead] if ahead else []) for label, (seen, ahead) in found.items()}


def _end(cell: Row, name: str) -> float:
    value = cell[name]
    return float(cell["rate"] if value is None else value)


def _triangle_png(rows: list[Row], file: Path) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 5), layout="constrained")
    axes = figure.subplots()
    for label, (observed, forecast) in _cohorts(rows).items():
        (line,) = axes.plot([c["month"] for c in observed], [c["rate"] for c in observed], label=label)
        months, color = [c["month"] for c in forecast], line.get_color()
        axes.plot(months, [c["rate"] for c in forecast], "--", color=color)
        low, high = ([_end(c, name) for c in forecast] for name in ("rate_low", "rate_high"))
        axes.fill_between(months, low, high, alpha=0.1, color=color)
    axes.set(xlabel="months since the start", ylabel="share of the cohort", ylim=(0, 1.02), title="Retention by cohort")
    axes.legend(ncols=2, fontsize="small")
    figure.savefig(file, dpi=120)


def _triangle_html(rows: list[Row], file: Path) -> None:
    import plotly.graph_objects as plotly

    figure = plotly.Figure()
    for label, (observed, forecast) in _cohorts(rows).items():
        figure.add_scatter(x=[c["month"] for c in observed], y=[c["rate"] for c in observed], name=label)
        above = [_end(c, "rate_high") - c["rate"] for c in forecast]
        below = [c["rate"] - _end(c, "rate_low") for c in forecast]
        figure.add_scatter(
            x=[c["month"] for c in forecast], y=[c["rate"] for c in forecast], name=f"{label} forecast",
            line={"dash": "dash"}, error_y={"type": "data", "array": above, "arrayminus": below, "symmetric": False},
        )  # fmt: skip
    figure.update_layout(title="Retention by cohort", xaxis_title="months since the start", yaxis_title="share")
    figure.write_html(file, include_plotlyjs=True)
