"""The `retentioncast` command: one module of retentioncast/commands a group, found by being there."""

from __future__ import annotations

import importlib
import pkgutil
import sys

import typer

from retentioncast import commands
from retentioncast.core.errors import RetentionCastError


def make_app() -> typer.Typer:
    """The command with every group registered."""
    app = typer.Typer(
        name="retentioncast",
        help="Every customer's churn risk and remaining value, current to the last committed transaction.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich",
    )
    for module in sorted(found.name for found in pkgutil.iter_modules(commands.__path__)):
        importlib.import_module(f"{commands.__name__}.{module}").register(app)
    return app


def main() -> None:
    """Run the command; an error that a person can act on is a line and the next step, never a traceback."""
    try:
        make_app()()
    except RetentionCastError as error:
        _tell(error)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


def _tell(error: RetentionCastError) -> None:
    from rich.console import Console

    console = Console(stderr=True, highlight=False, soft_wrap=True)
    console.print(f"Error: {error.message}", style="red", markup=False)
    if error.next_step:
        console.print(f"Next:  {error.next_step}", markup=False)
