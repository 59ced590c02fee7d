"""connector: keeps the Debezium connector as debezium/connector.json has it, and shows how it is."""

from __future__ import annotations

from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    group = typer.Typer(help="Register the Debezium connector, or correct it where it differs; see how it is.")
    group.callback(invoke_without_command=True)(ensure)
    group.command()(status)
    group.command()(resnapshot)
    app.add_typer(group, name="connector")


def ensure(context: typer.Context) -> None:
    """Register the connector, correct what differs, and wait until it runs."""
    if context.invoked_subcommand:
        return
    from retentioncast.infra.connector import drift, ensure_connector
    from retentioncast.infra.settings import load_settings

    settings = load_settings()
    change = ensure_connector(settings)
    typer.echo(f"The connector {settings.connect.connector} runs ({change}).")
    for difference in drift(settings):
        typer.echo(str(difference))


def status(
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, for machines.")] = False,
) -> None:
    """Show the state of the connector and its tasks, and where its running settings differ from ours."""
    import json

    from retentioncast.infra.connector import connector_status, drift
    from retentioncast.infra.settings import load_settings

    settings = load_settings()
    now = connector_status(settings)
    differences = [str(difference) for difference in drift(settings)] if now.state != "MISSING" else []
    if as_json:
        described = {"state": now.state, "tasks": now.tasks, "problem": now.problem, "drift": differences}
        typer.echo(json.dumps(described, indent=2))
        return
    typer.echo(f"connector {settings.connect.connector}: {now.state}, tasks: {', '.join(now.tasks) or 'none'}")
    for line in filter(None, [now.problem, *differences]):
        typer.echo(line)


def resnapshot(
    tables: Annotated[list[str] | None, typer.Argument(help="Of the shop's tables; without one, all.")] = None,
) -> None:
    """Ask Debezium to read tables again while it streams on; replaying what is known changes nothing."""
    from retentioncast.core.shop import ROLES
    from retentioncast.infra.connector import resnapshot as ask
    from retentioncast.infra.settings import load_settings

    signal = ask(load_settings(), tuple(tables or ROLES))
    typer.echo(f"Asked for a snapshot of {', '.join(tables or ROLES)} (signal {signal}).")
