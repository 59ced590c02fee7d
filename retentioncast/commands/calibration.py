"""`retentioncast calibration`: of those told 30 percent, did 30 percent?"""

from __future__ import annotations

import json
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from retentioncast.commands.scores import plain

if TYPE_CHECKING:
    from retentioncast.infra.calibration import Row


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("calibration")(print_calibration)


def print_calibration(
    horizon: Annotated[int | None, typer.Option(help="Only this horizon, in days.")] = None,
    segment: Annotated[str, typer.Option(help="A channel, or all.")] = "all",
    run: Annotated[int | None, typer.Option(help="Only predictions of this run.")] = None,
    plot: Annotated[Path | None, typer.Option(help="Also draw it into this PNG file.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Print predicted and happened by tenth, of the published probabilities whose horizon has passed."""
    from retentioncast.core.errors import NotEnoughData
    from retentioncast.infra.calibration import read_backtest, read_backtest_deciles, read_calibration
    from retentioncast.infra.settings import load_settings

    settings = load_settings()
    try:
        rows = with_intervals(read_calibration(settings, segment, horizon, run))
    except NotEnoughData as none_yet:
        tenths = with_intervals(_within(horizon, read_backtest_deciles(settings)))
        _draw(tenths, plot)
        tell_backtest(_within(horizon, read_backtest(settings)), tenths, str(none_yet), as_json)
        return
    _draw(rows, plot)
    if as_json:
        typer.echo(json.dumps({"calibration": rows}, default=plain))
    else:
        show_calibration(rows, Console())


def _within(horizon: int | None, rows: list[Row]) -> list[Row]:
    return [row for row in rows if horizon in (None, row["horizon_days"])]


def _draw(rows: list[Row], path: Path | None) -> None:
    if path is not None and rows:
        from retentioncast.infra.reliability import draw_reliability

        draw_reliability(rows, path)


def with_intervals(rows: list[Row]) -> list[Row]:
    """The rows with the share that came true and its 95 % binomial interval."""
    from retentioncast.models.judging.calibration import binomial_interval

    return [
        {**row, "share": row["happened"] / row["n"]}
        | dict(zip(("low", "high"), binomial_interval(row["happened"], row["n"]), strict=True))
        for row in rows
    ]


def weighted_error(rows: list[Row]) -> float:
    """Mean over tenths, weighted, of |predicted - happened|."""
    return float(
        sum(row["n"] * abs(row["mean_predicted"] - row["share"]) for row in rows) / sum(row["n"] for row in rows)
    )


def show_calibration(rows: list[Row], console: Console) -> None:
    """A table a horizon, and the weighted error below it."""
    for days, of_horizon in groupby(rows, key=lambda row: row["horizon_days"]):
        tenths = list(of_horizon)
        console.print(_heading(days, tenths), soft_wrap=True)
        console.print(_table(tenths))
        console.print(f"Calibration error (weighted mean): {100 * weighted_error(tenths):.1f} points.", style="dim")


def _table(tenths: list[Row]) -> Table:
    table = Table(box=None, pad_edge=False)
    for name in ("tenth", "n", "predicted", "happened", "95 % interval"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in tenths:
        between = f"{100 * row['low']:.1f} - {100 * row['high']:.1f}"
        shares = (f"{100 * row['mean_predicted']:.1f}%", f"{100 * row['share']:.1f}%")
        table.add_row(str(row["decile"]), f"{row['n']:,}", *shares, between)
    return table


def _heading(days: int, tenths: list[Row]) -> str:
    """What the table below it is made of."""
    runs, first = max(row["runs"] for row in tenths), f"{tenths[0]['first_as_of']:%Y-%m-%d}"
    last = f"{tenths[0]['last_as_of']:%Y-%m-%d}"
    of = f"1 run, as of {first}" if runs == 1 else f"{runs} runs, as of {first} to {last}"
    return f"No purchase within {days} days: {of}, {tenths[0]['families']}"


def tell_backtest(rows: list[Row], tenths: list[Row], reason: str, as_json: bool) -> None:
    """While nothing has matured: why, and what the newest backtest found. A young stack is no error."""
    if as_json:
        told = {"calibration": [], "reason": reason, "backtest": rows, "backtest_deciles": tenths}
        typer.echo(json.dumps(told, default=plain))
        return
    console = Console()
    console.print(reason)
    for row in rows:
        console.print(
            f"Backtest of run {row['run_id']}, {row['horizon_days']} days: calibration error "
            f"{100 * row['calibration_error']:.1f} points, log score {row['log_score']:.4f}."
        )
        console.print(_table([tenth for tenth in tenths if tenth["horizon_days"] == row["horizon_days"]]))
