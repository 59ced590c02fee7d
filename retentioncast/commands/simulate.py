"""`retentioncast simulate`: the simulator in the foreground."""

from __future__ import annotations

import typer

from simulator.command import simulate_command


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("simulate")(simulate_command)
