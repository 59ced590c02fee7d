"""dsn, migrate: the database's address and its schema."""

from __future__ import annotations

from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command()(dsn)
    app.command()(migrate)


def dsn(
    role: Annotated[str, typer.Argument(help="owner, simulator, debezium, consumer, scorer or reader.")] = "reader",
) -> None:
    """Print a connection string for psql: psql "$(retentioncast dsn)"."""
    from retentioncast.infra.postgres import dsn as connection_string
    from retentioncast.infra.settings import load_settings

    typer.echo(connection_string(load_settings(), role))


def migrate(
    target: Annotated[str, typer.Argument(help="A revision; head is the newest.")] = "head",
) -> None:
    """Bring the database to this version's schema. It can be run again at any time."""
    from retentioncast.infra.logs import set_up_logs
    from retentioncast.infra.migrate import migrate as upgrade
    from retentioncast.infra.settings import load_settings

    settings = load_settings()
    set_up_logs(settings.log)
    upgrade(settings, target)
