"""`retentioncast score`: one scoring run, now, in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("score")(score_now)


def score_now(
    as_of: Annotated[
        str, typer.Option(help="Score as of this time or day (ISO 8601); default: the stream's time.")
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print the run as JSON.")] = False,
) -> None:
    """Fit and score once; the exit code is the scorer's: 0 when the scores were published."""
    finished = subprocess.run(scorer_command(as_of, as_json), check=False)
    raise typer.Exit(finished.returncode)


def scorer_command(as_of: str, as_json: bool) -> list[str]:
    """How the scorer is called; it judges the time itself."""
    command = [sys.executable, "-m", "scorer", "--once"]
    if as_of:
        command += ["--as-of", as_of]
    return [*command, "--json"] if as_json else command
