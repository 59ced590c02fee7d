"""`retentioncast explain CUSTOMER`: why the customer's risk moved since a time, in parts that add up."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from retentioncast.core.explaining import Level, Part
    from retentioncast.infra.explain import Explanation


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("explain")(explain_customer)


def explain_customer(
    customer: Annotated[int, typer.Argument(help="The customer's id.")],
    since: Annotated[
        str, typer.Option(help="A time or day of the stream (ISO 8601); default: the earliest run of the last 30 days.")
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Print why the risk of a customer is not what it was: time passing, each purchase and refund, the refit."""
    from retentioncast.core.moments import read_moment
    from retentioncast.infra.explain import explain
    from retentioncast.infra.settings import load_settings

    explanation = explain(load_settings(), customer, read_moment(since, "--since") if since else None)
    if as_json:
        typer.echo(json.dumps(plain(explanation)))
    else:
        show(explanation, Console())


def show(explanation: Explanation, console: Console) -> None:
    """The way from then to now, a line each, then what each kind did in all."""
    table = Table(
        title=f"Customer {explanation.customer_id}", title_justify="left", box=None, pad_edge=False, show_footer=False
    )
    for name in ("as of", "what"):
        table.add_column(name, no_wrap=True)
    for name in ("", "no buy in 30 d", "", "alive"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_row(_time(explanation.since), f"by run {explanation.run_then}", *_cells(None, explanation.start))
    for part in explanation.parts:
        table.add_row(_time(part.at), _what(part, explanation.run_now), *_cells(part, part.after))
    console.print(table)
    for what, change in by_kind(explanation.parts).items():
        console.print(f"{what:<9} {_signed(change)}", style="dim", highlight=False)
    change = explanation.end.no_purchase_30d - explanation.start.no_purchase_30d
    console.print(f"{'in all':<9} {_signed(change)} points of no buy in 30 d", highlight=False)


def by_kind(parts: list[Part]) -> dict[str, Decimal]:
    """By how much each kind moved the probability of no purchase in 30 days."""
    totals: dict[str, Decimal] = {}
    for part in parts:
        totals[part.what] = totals.get(part.what, Decimal(0)) + part.no_purchase_30d
    return totals


def plain(explanation: Explanation) -> dict[str, Any]:
    """As JSON can hold it; changes are of the probability, and sum to that of the end less that of the start."""
    return {
        "customer_id": explanation.customer_id,
        "since": explanation.since.isoformat(),
        "now": explanation.now.isoformat(),
        "run_then": explanation.run_then,
        "run_now": explanation.run_now,
        "start": _level(explanation.start),
        "parts": [_part(part) for part in explanation.parts],
        "end": _level(explanation.end),
    }


def _part(part: Part) -> dict[str, Any]:
    bought = part.transaction
    return {
        "what": part.what,
        "at": part.at.isoformat(),
        "transaction_id": bought.transaction_id if bought else None,
        "amount": str(bought.amount) if bought else None,
        "no_purchase_30d": float(part.no_purchase_30d),
        "probability_alive": float(part.probability_alive),
        "after": _level(part.after) if part.after else None,
    }


def _level(level: Level) -> dict[str, float]:
    return {"no_purchase_30d": float(level.no_purchase_30d), "probability_alive": float(level.probability_alive)}


def _what(part: Part, run: int) -> str:
    if part.what == "refit":
        return f"refit: run {run}"
    if part.what == "time":
        return "time passing"
    return f"{part.what} of {part.transaction.amount}" if part.transaction else part.what


def _cells(part: Part | None, level: Level | None) -> list[str]:
    if level is None:
        return ["", "no purchase", "", "stands"]
    changes = ("", "") if part is None else (_signed(part.no_purchase_30d), _signed(part.probability_alive))
    return [changes[0], f"{100 * level.no_purchase_30d:.2f}%", changes[1], f"{100 * level.probability_alive:.2f}%"]


def _signed(change: Decimal) -> str:
    return f"{100 * change:+.2f}"


def _time(moment: Any) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"
