"""`retentioncast verify`: is analytics what the shop says it should be? Exit code 1 if not."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

if TYPE_CHECKING:
    from retentioncast.infra.verify import Difference

#: More than this is for --json.
SHOWN = 50


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("verify")(verify_analytics)


def verify_analytics(
    wait: Annotated[float, typer.Option(min=0, help="Seconds the stream has to catch up.")] = 60.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print the differences as JSON.")] = False,
) -> None:
    """Recompute from the shop what analytics should hold and say which customers differ."""
    from retentioncast.infra.settings import load_settings
    from retentioncast.infra.verify import verify

    progress = Console(stderr=True)
    with progress.status("Comparing the shop with analytics …") as status:
        differences = verify(load_settings(), wait, note=lambda text: status.update(f"{text} …"))
    if as_json:
        rows = [difference.as_json() for difference in differences]
        typer.echo(json.dumps({"equal": not rows, "differences": rows}))
    else:
        show_differences(differences, Console())
    if differences:
        raise typer.Exit(1)


def show_differences(differences: list[Difference], console: Console) -> None:
    """The differences, one a line, and what to do about them."""
    if not differences:
        console.print("[green]analytics equals a recomputation from the shop.[/green]", highlight=False)
        return
    for each in differences[:SHOWN]:
        console.print(str(each), markup=False, highlight=False)
    rows = {each.row for each in differences}
    console.print(
        f"[red]{len(rows):,} rows differ[/red] and will not heal by waiting. "
        "Read the shop anew with `retentioncast connector resnapshot`; see also analytics.dead_letters.",
        highlight=False,
    )
