"""`retentioncast segments`: what each segment will still bring, and what a new customer of it is worth."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from retentioncast.commands.scores import moment, plain

if TYPE_CHECKING:
    from retentioncast.infra.segments import Row

#: A row should fit into 80 columns.
NAME_WIDTH = 16


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("segments")(print_segments)


def print_segments(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Print what each segment's customers will still bring, with intervals, and what a new one is worth."""
    from retentioncast.infra.segments import read_segments
    from retentioncast.infra.settings import load_settings

    rows, note = read_segments(load_settings())
    if as_json:
        typer.echo(json.dumps({"segments": rows, "note": note}, default=plain))
    else:
        show_segments(rows, note, Console())


def show_segments(rows: list[Row], note: str, console: Console) -> None:
    """The segments as a table; all rows are of one run."""
    first = rows[0]
    title = f"As of {moment(first['as_of'])} (run {first['run_id']})"
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    table.add_column("segment", no_wrap=True)
    for name in ("customers", "worth", "a new one"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(
            str(row["segment"])[:NAME_WIDTH],
            f"{row['customers']:,}",
            f"{_whole(row['residual_value'])} ({_range(row, 80)})",
            _whole(row["new_customer_value"]),
        )
    console.print(table)
    what = "worth: what its customers will still bring together (80 % interval); a new one: a customer who comes now."
    console.print(what, style="dim")
    if note:
        console.print(note, style="yellow", markup=False)


def _whole(value: float | None) -> str:
    return "-" if value is None else f"{value:,.0f}"


def _range(row: Row, share: int) -> str:
    return f"{_whole(row[f'residual_value_low_{share}'])}-{_whole(row[f'residual_value_high_{share}'])}"
