"""up, down, start, stop, restart, logs: the stack as a whole and its parts."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

PartName = Annotated[str, typer.Argument(help="A part as `retentioncast status` names it.")]


class Load(StrEnum):
    """How much the demo shop writes."""

    quiet = "quiet"
    normal = "normal"
    busy = "busy"
    flood = "flood"


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    for command in (up, down, start, stop, restart, logs):
        app.command()(command)


def up(
    native: Annotated[bool, typer.Option("--native", help="Without containers, also where an engine answers.")] = False,
    docker: Annotated[bool, typer.Option("--docker", help="In containers, with docker compose.")] = False,
    demo: Annotated[
        bool | None, typer.Option("--demo/--no-demo", help="Run the demo shop, or leave the shop empty.")
    ] = None,
    load: Annotated[Load | None, typer.Option(help="How much the demo shop writes.")] = None,
    infrastructure_only: Annotated[
        bool, typer.Option("--infrastructure-only", help="Postgres, Kafka, Connect, schema and connector; no services.")
    ] = False,
) -> None:
    """Start everything that does not run, and wait for live scores. Never destroys or duplicates anything."""
    from retentioncast.stack.up import Wanted, run_up

    run_up(Wanted(native, docker, demo, load.value if load else None, services=not infrastructure_only))


def down() -> None:
    """Stop every part. The data stays."""
    from retentioncast.stack.opening import open_stack
    from retentioncast.stack.progress import Progress

    progress = Progress()
    with progress.step("Stop everything") as step:
        open_stack(progress=progress).down()
        step.result = "Nothing runs any more; the data stays"


def start(part: PartName) -> None:
    """Start a part."""
    from retentioncast.stack.opening import open_stack

    open_stack().start(part)


def stop(part: PartName) -> None:
    """Stop a part; it stays stopped until it is started again."""
    from retentioncast.stack.opening import open_stack

    open_stack().stop(part)


def restart(part: PartName) -> None:
    """Stop a part and start it again."""
    from retentioncast.stack.opening import open_stack

    open_stack().restart(part)


def logs(
    part: Annotated[str, typer.Argument(help="A part; without one, all of them.")] = "",
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with new lines as they come.")] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", min=0, help="How many of the last lines.")] = 50,
) -> None:
    """Show the end of a part's log."""
    from retentioncast.stack.opening import open_stack

    for line in open_stack().logs(part, follow, lines):
        typer.echo(line)
