"""The command as a person meets it: quick help, errors without a traceback."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from retentioncast.infra.settings import ENV_PREFIX
from tests.private_stack import clean_environment

COMMANDS = ("up", "down", "status", "start", "stop", "restart", "logs", "dsn", "migrate", "connector")


def _run(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from retentioncast.cli import main; main()", *arguments]
    environment = {**clean_environment(), f"{ENV_PREFIX}HOME": str(home), "COLUMNS": "120"}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_every_command_is_listed(tmp_path: Path) -> None:
    listed = _run(tmp_path, "--help").stdout
    assert [name for name in COMMANDS if f" {name} " not in listed] == []


def test_the_help_loads_neither_kafka_nor_numpy(tmp_path: Path) -> None:
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
def test_an_error_is_a_line_and_the_next_step(tmp_path: Path, arguments: list[str], message: str) -> None:
    done = _run(tmp_path, *arguments)
    assert done.returncode == 1
    assert message in done.stderr
    assert "Next:" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_wrong_setting_is_named_with_its_variable(tmp_path: Path) -> None:
    (tmp_path / "settings.toml").write_text("[postgres]\nport = 0\n", encoding="utf-8")
    done = _run(tmp_path, "dsn")
    assert done.returncode == 1
    assert "RETENTIONCAST_POSTGRES__PORT" in done.stderr


def test_a_stack_that_was_never_started_has_parts_that_are_stopped(tmp_path: Path) -> None:
    done = _run(tmp_path, "status", "--json")
    assert done.returncode == 0
    assert '"state": "stopped"' in done.stdout
    assert not list(tmp_path.iterdir())
