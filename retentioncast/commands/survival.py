"""`retentioncast survival` and `retentioncast retention`: how long subscriptions last."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from retentioncast.commands.scores import moment, percent, plain

if TYPE_CHECKING:
    from retentioncast.infra.survival import Curves, Row

#: Days after the start that are shown.
DAYS = (30, 90, 180, 365)
#: So many columns of months fit into 80 columns of the terminal.
MONTHS = 10


class Grouping(StrEnum):
    """What curves are drawn for."""

    ALL = "all"
    PLAN = "plan"
    CHANNEL = "channel"
    COHORT = "cohort"


Plot = Annotated[Path | None, typer.Option("--plot", help="Draw into this file: .png or .html.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command("survival")(print_survival)
    app.command("retention")(print_retention)


def print_survival(
    by: Annotated[Grouping, typer.Option(help="A curve for each plan, channel or month of the start.")] = Grouping.ALL,
    as_of: Annotated[str, typer.Option(help="As known at this time or day (ISO 8601); default: the stream's.")] = "",
    plot: Plot = None,
    as_json: AsJson = False,
) -> None:
    """Print how many are still subscribed after so many days (Kaplan-Meier), with 95 % intervals."""
    from retentioncast.core.moments import read_moment
    from retentioncast.infra.settings import load_settings
    from retentioncast.infra.survival import read_curves

    curves = read_curves(load_settings(), by.value, read_moment(as_of, "--as-of") if as_of else None)
    if plot is not None:
        from retentioncast.infra.survival_plots import plot_curves

        plot_curves(curves, plot)
    if as_json:
        typer.echo(json.dumps({"as_of": curves.as_of, "survival": curves.rows}, default=plain))
    else:
        show_curves(curves, Console())


def print_retention(plot: Plot = None, as_json: AsJson = False) -> None:
    """Print the retention triangle: the share of each month's subscribers that stayed, and the forecast of the rest."""
    from retentioncast.infra.settings import load_settings
    from retentioncast.infra.survival import read_triangle

    rows, reason = read_triangle(load_settings())
    if plot is not None:
        from retentioncast.infra.survival_plots import plot_triangle

        plot_triangle(rows, plot)
    if as_json:
        typer.echo(json.dumps({"retention": rows, "note": reason}, default=plain))
    else:
        show_triangle(rows, reason, Console())


def show_curves(curves: Curves, console: Console) -> None:
    """Survival after some days, a row a curve."""
    from retentioncast.infra.survival import at_day

    table = Table(title=f"As of {moment(curves.as_of)}", title_justify="left", box=None, pad_edge=False)
    for name in ("", "began", "left"):
        table.add_column(name, justify="right" if name else "left", no_wrap=True)
    for day in DAYS:
        table.add_column(f"{day} d", justify="right", no_wrap=True)
    for label, steps in curves.by_label().items():
        cells = [_with_interval(at_day(steps, day)) for day in DAYS]
        cancelled = sum(int(step["cancelled"]) for step in steps)
        table.add_row(label, str(steps[0]["at_risk"]), str(cancelled), *cells)
    console.print(table)
    console.print("still subscribed after so many days (95 % interval); -: nobody is that old yet.", style="dim")


def show_triangle(rows: list[Row], reason: str, console: Console) -> None:
    """A row a cohort, a column a month; forecasts in parentheses."""
    months = sorted({int(row["month"]) for row in rows if row["month"] > 0})
    shown = months if len(months) <= MONTHS else [months[i * (len(months) - 1) // (MONTHS - 1)] for i in range(MONTHS)]
    table = Table(title="Percent still subscribed after so many months", title_justify="left", box=None, pad_edge=False)
    table.add_column("began", no_wrap=True)
    for name in ("n", *map(str, shown)):
        table.add_column(name, justify="right", no_wrap=True)
    cells = {(row["cohort"], row["month"]): row for row in rows}
    for cohort in sorted({row["cohort"] for row in rows}):
        size = str(cells[cohort, 0]["size"])
        table.add_row(f"{cohort:%Y-%m}", size, *(_cell(cells.get((cohort, month))) for month in shown))
    console.print(table)
    note = "in parentheses: forecast by sBG; --json and scores.retention_triangle have the intervals."
    console.print(reason or note, style="dim", markup=False)


def _with_interval(step: Row | None) -> str:
    if step is None:
        return "-"
    return f"{percent(step['survival'])} ({100 * step['low']:.0f}-{100 * step['high']:.0f})"


def _cell(row: Row | None) -> str:
    if row is None:
        return "-"
    share = f"{100 * row['rate']:.0f}"
    return share if row["kind"] == "observed" else f"({share})"
