"""`retentioncast import`: real purchases into the shop, from where they travel the whole pipeline."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars

from retentioncast.core.clock import SystemClock
from retentioncast.core.errors import InvalidInput

if TYPE_CHECKING:
    from retentioncast.imports.report import ImportReport
    from retentioncast.imports.run import Progress
    from retentioncast.imports.sources import Columns, Source

_TITLES = {"read": "Reading and checking", "write": "Writing to the shop"}


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("import")(import_purchases)


def import_purchases(
    source: Annotated[str, typer.Argument(help="`cdnow`, or a .csv or .parquet file.", show_default=False)],
    customer: Annotated[str, typer.Option(help="The file's column with the customer.")] = "",
    time: Annotated[str, typer.Option(help="The file's column with the time of the purchase.")] = "",
    amount: Annotated[str, typer.Option(help="The file's column with the amount.")] = "",
    timezone: Annotated[str, typer.Option(help="The zone of times that name none.")] = "UTC",
    time_format: Annotated[str, typer.Option(help="How times are written (strptime); default: ISO 8601.")] = "",
    speed: Annotated[
        float | None, typer.Option(min=1e-6, help="Event-time seconds a second; all at once if not said.")
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Refuse everything if one row is bad.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Import purchases into the shop: checked row by row, in event-time order, once."""
    from retentioncast.imports.rows import RowRules
    from retentioncast.imports.run import ImportOptions, run_import
    from retentioncast.imports.sources import Columns
    from retentioncast.infra.settings import load_settings

    settings = load_settings()
    chosen = choose_source(source, Columns(customer, time, amount))
    # A clock a little behind must not refuse what was bought a moment ago.
    latest = SystemClock().now() + timedelta(minutes=10)
    rules = RowRules(latest, find_zone(timezone), time_format or None)
    bad_rows_file = settings.home / "imports" / f"{Path(chosen.name).stem}-bad-rows.csv"
    with _progress(quiet=as_json) as progress:
        report = run_import(settings, chosen, ImportOptions(rules, bad_rows_file, strict, speed, progress))
    if as_json:
        typer.echo(json.dumps(report.as_json()))
    else:
        show_report(report, Console())


def choose_source(source: str, columns: Columns) -> Source:
    """CDNOW or the file; InvalidInput when a file's columns were not named."""
    from retentioncast.imports.cdnow import find_cdnow
    from retentioncast.imports.sources import open_file

    if source == "cdnow":
        return find_cdnow()
    unnamed = [f"--{option}" for option in ("customer", "time", "amount") if not getattr(columns, option)]
    if unnamed:
        raise InvalidInput(f"Which columns of {source}? Not said: {', '.join(unnamed)}.", "Name the file's columns.")
    return open_file(Path(source), columns)


def find_zone(name: str) -> ZoneInfo:
    """The time zone of this name; InvalidInput when there is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InvalidInput(f"There is no time zone {name!r}.", "Say it like UTC or Europe/Vienna.") from error


def show_report(report: ImportReport, console: Console) -> None:
    """What was imported, what was left out, and where to look next."""
    console.print(
        f"Imported {report.purchases:,} purchases of {report.customers:,} customers from {escape(report.source)}, "
        f"{report.first:%Y-%m-%d} to {report.latest:%Y-%m-%d}.",
        highlight=False,
    )
    if not report.ids_kept:
        console.print(
            "The source's customer ids are taken in this shop (or are no numbers), so the customers have new ones; "
            f"find them by name or by e-mail: …@{report.mark}.import.invalid.",
            highlight=False,
        )
    if report.bad_rows:
        console.print(f"[yellow]{report.bad_rows:,} rows were left out:[/yellow]")
        for bad in report.shown:
            console.print(f"  {bad}", markup=False, highlight=False)
        console.print(f"All of them: {report.bad_rows_file}", markup=False, highlight=False)
    console.print("Next: `retentioncast verify`, `retentioncast scores`.", highlight=False)


@contextmanager
def _progress(quiet: bool) -> Iterator[Progress]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Bars(*columns, console=Console(stderr=True), disable=quiet) as bars:
        tasks: dict[str, TaskID] = {}

        def show(step: str, done: int, total: int | None) -> None:
            if step not in tasks:
                tasks[step] = bars.add_task(_TITLES[step], total=total)
            bars.update(tasks[step], completed=done, total=total)

        yield show
