"""`python -m simulator`: the simulator as a process of its own, with the options of `retentioncast simulate`."""

from __future__ import annotations

import sys

import typer

from retentioncast.core.errors import RetentionCastError
from simulator.command import simulate_command


def main() -> int:
    """0 after a clean stop; 1 with one clear line when something is in the way."""
    app = typer.Typer(add_completion=False)
    app.command()(simulate_command)
    try:
        app(standalone_mode=True)
    except RetentionCastError as error:
        typer.echo(f"simulator: {error}", err=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
