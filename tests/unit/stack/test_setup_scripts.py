"""setup.sh on a machine that lacks something: one message and the next step."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from retentioncast.stack.paths import CHECKOUT

TOOLS = ("bash", "dirname", "cat", "df", "awk", "date", "id", "cksum", "grep", "tail", "rm")


@pytest.fixture
def bare_machine(tmp_path: Path) -> Path:
    """A checkout's scripts in a folder, and a PATH without Python, Java or Docker."""
    tools = tmp_path / "tools"
    tools.mkdir()
    for tool in TOOLS:
        (tools / tool).symlink_to(shutil.which(tool) or tool)
    checkout = tmp_path / "checkout"
    (checkout / "deploy").mkdir(parents=True)
    for file in ("setup.sh", "test.sh", "deploy/bootstrap.sh"):
        shutil.copy2(CHECKOUT / file, checkout / file)
    return checkout


def _run(checkout: Path, script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": str(checkout.parent / "tools"), "HOME": str(checkout.parent)}
    return subprocess.run(
        [str(checkout / script), *arguments], env=environment, capture_output=True, text=True, check=False, cwd="/"
    )


@pytest.mark.parametrize("script", ["setup.sh", "test.sh"])
def test_without_a_python_the_message_says_where_to_get_one(bare_machine: Path, script: str) -> None:
    done = _run(bare_machine, script)
    assert done.returncode == 1
    assert "There is no Python 3.12 or 3.13" in done.stderr
    assert "Next:" in done.stderr
    assert not (bare_machine / ".venv").exists()


def test_the_options_are_explained(bare_machine: Path) -> None:
    done = _run(bare_machine, "setup.sh", "--help")
    assert done.returncode == 0
    for option in ("--native", "--docker", "--no-demo", "--load"):
        assert option in done.stdout


def test_a_python_in_pyenvs_folder_is_found(bare_machine: Path) -> None:
    python = bare_machine.parent / ".pyenv" / "versions" / "3.12.9" / "bin" / "python3"
    python.parent.mkdir(parents=True)
    python.write_text('#!/bin/bash\n[ "$1" = -c ] && { echo found-it; exit 0; }\nexit 9\n', encoding="utf-8")
    python.chmod(0o755)
    done = _run(bare_machine, "setup.sh")
    assert "found-it could not make .venv" in done.stderr
