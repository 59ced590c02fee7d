"""status: what runs, how far behind it is, and when the models were last fitted."""

from __future__ import annotations

from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command()(status)


def status(
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, for machines.")] = False,
) -> None:
    """Each part with its state, pid and since when; the lag; the slot's retained WAL; the last refit."""
    from rich.console import Console

    from retentioncast.infra.settings import load_settings
    from retentioncast.stack.opening import open_stack
    from retentioncast.stack.status import describe_stack, show_status, to_json

    settings = load_settings()
    described = describe_stack(open_stack(settings), settings)
    if as_json:
        typer.echo(to_json(described))
    else:
        show_status(described, Console())
