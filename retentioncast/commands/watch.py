"""`retentioncast watch`: the shop's changes as they pass, readable: who, what, before -> after."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import Annotated, Any

import typer

from retentioncast.core.passing import PassingChange
from retentioncast.core.shop import CUSTOMERS, SESSIONS, SUBSCRIPTIONS, TRANSACTIONS

Name = Callable[[int | None], str | None]

_STYLES = {"insert": "green", "update": "yellow", "delete": "red", "snapshot": "dim", "truncate": "bold red"}
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[.\d]*Z")
#: Rows of each table that are remembered from the mirror at the start.
REMEMBERED = 50_000


class WatchedTable(StrEnum):
    """What can be watched."""

    CUSTOMERS = CUSTOMERS
    SUBSCRIPTIONS = SUBSCRIPTIONS
    TRANSACTIONS = TRANSACTIONS
    SESSIONS = SESSIONS


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("watch")(watch)


def watch(
    table: Annotated[WatchedTable | None, typer.Argument(help="Only this table.", show_default=False)] = None,
    from_beginning: Annotated[bool, typer.Option("--from-beginning", help="From the first change ever.")] = False,
    limit: Annotated[int | None, typer.Option(min=1, help="Stop after so many changes.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Print changes as they pass through Kafka; Ctrl-C ends it. Commits nothing, disturbs nobody."""
    from contextlib import closing
    from itertools import islice

    from rich.console import Console

    from retentioncast.infra.settings import load_settings
    from retentioncast.infra.watching import Watching

    roles = [table.value] if table else [each.value for each in WatchedTable]
    console = Console(soft_wrap=True, highlight=False)
    with closing(Watching(load_settings(), roles, from_beginning, REMEMBERED)) as watching:
        typer.echo(f"Watching {', '.join(roles)}; Ctrl-C ends it.", err=True)
        changes: Iterator[PassingChange | str] = islice(watching.changes(), limit)
        for change in changes:
            if isinstance(change, str):
                typer.echo(change, err=True)
            elif as_json:
                typer.echo(json.dumps({**change.as_json(), "name": watching.name_of(change.customer_id)}))
            else:
                console.print(readable(change, watching.name_of(change.customer_id)))


def readable(change: PassingChange, name: str | None) -> str:
    """The change on one line, with rich's markup."""
    from rich.markup import escape

    style = _STYLES[change.word]
    what = f"[{style}]{change.word:<8}[/{style}] {change.table}" + (f" {change.key}" if change.key is not None else "")
    who = "" if change.customer_id is None else f"customer {change.customer_id} {name or ''}".strip()
    when = f"[dim]{change.at:%H:%M:%S}.{change.at.microsecond // 1000:03d}[/dim]"
    parts = (when, what, escape(who), escape(details(change)))
    return "  ".join(part for part in parts if part)


def details(change: PassingChange) -> str:
    """Before -> after of what changed; the whole row where there is no other side to compare with."""
    if change.word == "truncate":
        return "every row is gone"
    if change.before is not None and change.after is not None:
        pairs = (f"{name} {shown(change.before.get(name))} → {shown(change.after[name])}" for name in change.changed)
        return ", ".join(pairs) or "nothing changed"
    row = change.after if change.after is not None else change.before
    if row is None:
        return "(what it was is not known)"
    hidden = {"customer_id", f"{change.table[:-1]}_id"}
    told = {name: value for name, value in row.items() if value is not None and name not in hidden}
    values = ", ".join(f"{name} {shown(value)}" for name, value in told.items())
    if change.word == "delete":
        return f"was: {values}"
    return f"now: {values}" if change.word == "update" else values


def shown(value: Any) -> str:
    """A value for the eye."""
    if value is None:
        return "(none)"
    text = str(value)
    if not _TIME.fullmatch(text):
        return text
    seconds, _, fraction = text.rstrip("Z").replace("T", " ").partition(".")
    return f"{seconds}.{fraction}".rstrip("0").rstrip(".") if fraction else seconds
