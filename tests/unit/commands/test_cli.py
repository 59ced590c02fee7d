"""The command as a person meets it: quick help, errors without a traceback."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pytest

from retentioncast.cli import main
from retentioncast.infra.settings import ENV_PREFIX

COMMANDS = ("up", "down", "status", "start", "stop", "restart", "logs", "dsn", "migrate", "connector")


@dataclass(frozen=True, slots=True)
class Done:
    """What a call of the command left behind."""

    code: int
    stdout: str
    stderr: str


class Call(Protocol):
    """`retentioncast ARGUMENTS` in this process: a process of its own takes a second to start."""

    def __call__(self, *arguments: str) -> Done: ...


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    monkeypatch.setenv(f"{ENV_PREFIX}HOME", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "120")

    def run(*arguments: str) -> Done:
        monkeypatch.setattr(sys, "argv", ["retentioncast", *arguments])
        try:
            main()
            code: object = 0
        except SystemExit as end:
            code = end.code or 0
        assert isinstance(code, int)
        return Done(code, *capsys.readouterr())

    return run


def test_every_command_is_listed(call: Call) -> None:
    listed = call("--help").stdout
    assert [name for name in COMMANDS if f" {name} " not in listed] == []


def test_the_help_loads_neither_kafka_nor_numpy() -> None:
    probe = (
        "import sys; from retentioncast.cli import make_app; make_app();"
        "print([name for name in ('numpy', 'pandas', 'confluent_kafka', 'psycopg', 'alembic') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["dsn", "nobody"], "There is no role 'nobody'."),
        (["stop", "kafka"], "The stack does not run."),
        (["restart", "kafka"], "The stack does not run."),
        (["logs", "nothing"], "The stack has no part 'nothing'."),
    ],
)
def test_an_error_is_a_line_and_the_next_step(call: Call, arguments: list[str], message: str) -> None:
    done = call(*arguments)
    assert done.code == 1
    assert message in done.stderr
    assert "Next:" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_wrong_setting_is_named_with_its_variable(call: Call, tmp_path: Path) -> None:
    (tmp_path / "settings.toml").write_text("[postgres]\nport = 0\n", encoding="utf-8")
    done = call("dsn")
    assert done.code == 1
    assert "RETENTIONCAST_POSTGRES__PORT" in done.stderr


def test_a_stack_that_was_never_started_has_parts_that_are_stopped(call: Call, tmp_path: Path) -> None:
    done = call("status", "--json")
    assert done.code == 0
    assert '"state": "stopped"' in done.stdout
    assert not list(tmp_path.iterdir())
