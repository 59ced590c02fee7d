"""`retentioncast scores`: who is about to leave, what they are worth, and how sure that is."""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from retentioncast.infra.scores import Row

#: A row should fit into 80 columns.
NAME_WIDTH = 20


class Order(StrEnum):
    """By what customers are ranked."""

    RISK = "risk"
    STAKE = "stake"
    VALUE = "value"


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("scores")(print_scores)


def print_scores(
    top: Annotated[int, typer.Option(min=1, help="How many customers.")] = 20,
    customer: Annotated[int | None, typer.Option(help="Only this customer.")] = None,
    by: Annotated[Order, typer.Option(help="Rank by stake (value that may be lost), risk or value.")] = Order.STAKE,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Print the customers most at risk, with their value and the intervals."""
    from retentioncast.infra.scores import read_scores
    from retentioncast.infra.settings import load_settings

    rows = read_scores(load_settings(), top, customer, by.value)
    if as_json:
        typer.echo(json.dumps({"scores": rows}, default=plain))
    elif customer is not None:
        show_customer(rows[0], Console())
    else:
        show_scores(rows, Console())


def show_scores(rows: list[Row], console: Console) -> None:
    """The customers as a table; all rows are of one run."""
    first = rows[0]
    title = f"As of {moment(first['as_of'])} (run {first['run_id']})"
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    table.add_column("customer", no_wrap=True)
    for name in ("no buy in 30 d", "90 d", "live", "worth", "last order"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(
            f"{row['customer_id']} {row['name'] or ''}"[:NAME_WIDTH].strip(),
            share(row, "no_purchase_30d"),
            percent(row["no_purchase_90d"]),
            percent(row["online_no_order_30d"]),
            money(row, "residual_value"),
            f"{row['latest_purchase']:%Y-%m-%d}" if row["latest_purchase"] else "-",
        )
    console.print(table)
    console.print(
        "no buy in 30 d: probability of no purchase within 30 days (interval); live: of no order, by the online "
        "model at the customer's last event, while that is less than 30 days ago; "
        "worth: expected value still to come (interval).",
        style="dim",
    )


def show_customer(row: Row, console: Console) -> None:
    """All that is known of one customer, a line each."""
    table = Table(show_header=False, box=None, pad_edge=False)
    for name, value in row.items():
        if not name.endswith(("_low", "_high")):
            table.add_row(name, _cell(row, name, value))
    console.print(table)


def share(row: Row, name: str) -> str:
    """A probability in percent, with its interval if there is one."""
    return _with_interval(row, name, lambda value: f"{100 * value:.0f}", "%")


def percent(value: float | None) -> str:
    """A bare probability in percent."""
    return "-" if value is None else f"{100 * value:.0f}%"


def money(row: Row, name: str) -> str:
    """An amount without its cents, with its interval if there is one."""
    return _with_interval(row, name, lambda value: f"{value:,.0f}", "")


def moment(value: datetime) -> str:
    """A time as people read it."""
    return f"{value:%Y-%m-%d %H:%M:%S %Z}"


def plain(value: object) -> object:
    """What JSON has no type for."""
    return str(value) if isinstance(value, Decimal) else value.isoformat()  # type: ignore[attr-defined]


def _with_interval(row: Row, name: str, text: Any, unit: str) -> str:
    value, low, high = (row.get(key) for key in (name, f"{name}_low", f"{name}_high"))
    if value is None:
        return "-"
    between = f" ({text(low)}-{text(high)})" if low is not None and high is not None else ""
    return f"{text(value)}{unit}{between}"


def _cell(row: Row, name: str, value: object) -> str:
    if isinstance(value, float) and 0 <= value <= 1 and name.startswith(("no_", "prob", "sub", "online")):
        return share(row, name)
    if isinstance(value, float):
        return _with_interval(row, name, lambda number: f"{number:,.2f}", "")
    if isinstance(value, datetime):
        return moment(value)
    return "-" if value is None else str(value)
