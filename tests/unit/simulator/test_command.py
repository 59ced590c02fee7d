"""The command is the same under both names, and says what is wrong before it looks for a database."""

from __future__ import annotations

import typer
from typer.testing import CliRunner

from retentioncast.commands.simulate import register
from retentioncast.core.errors import InvalidInput


def run(*arguments: str) -> BaseException | None:
    app = typer.Typer()
    app.callback()(lambda: None)
    register(app)
    return CliRunner().invoke(app, ["simulate", *arguments]).exception


def test_a_bad_load_is_named() -> None:
    error = run("--load", "heavy")
    assert isinstance(error, InvalidInput) and "--load is 'heavy'" in error.message


def test_a_bad_duration_is_named() -> None:
    error = run("--duration", "5x")
    assert isinstance(error, InvalidInput) and "--duration is '5x'" in error.message
