"""The stack in containers: the same verbs, said to docker compose."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from retentioncast.core.errors import StackError
from retentioncast.stack.part import PartStatus
from retentioncast.stack.paths import CHECKOUT

FILE = CHECKOUT / "docker-compose.yml"
ANSWER_S = 5
NEXT_STEP = "See what docker says above; `retentioncast up --native` needs no containers."


@dataclass(frozen=True, slots=True)
class ComposeStack:
    """The services of docker-compose.yml. Not frozen services: what compose knows is what there is."""

    file: Path = FILE

    def up(self) -> None:
        """Build, start and wait until everything is healthy."""
        self._do("up", "--detach", "--build", "--wait")

    def down(self) -> None:
        self._do("down")

    def parts(self) -> list[PartStatus]:
        text = self._ask("ps", "--all", "--format", "json")
        # Compose 2.21 and later write an object a line, older ones one list.
        found: list[Any] = json.loads(text) if text.startswith("[") else [json.loads(row) for row in text.splitlines()]
        return [_status(row) for row in found]

    def start(self, name: str) -> None:
        self._do("start", name)

    def stop(self, name: str) -> None:
        self._do("stop", name)

    def restart(self, name: str) -> None:
        self._do("restart", name)

    def logs(self, name: str, follow: bool, lines: int) -> Iterator[str]:
        arguments = ["logs", "--tail", str(lines), *(["--follow"] if follow else []), *([name] if name else [])]
        with subprocess.Popen([*self._command, *arguments], stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            for line in process.stdout:
                yield line.rstrip("\n")

    @property
    def _command(self) -> list[str]:
        return ["docker", "compose", "--file", str(self.file)]

    def _do(self, *arguments: str) -> None:
        done = subprocess.run([*self._command, *arguments], check=False)
        if done.returncode:
            raise StackError(f"docker compose {arguments[0]} failed (exit code {done.returncode}).", NEXT_STEP)

    def _ask(self, *arguments: str) -> str:
        done = subprocess.run([*self._command, *arguments], capture_output=True, text=True, check=False)
        if done.returncode:
            raise StackError(f"docker compose {arguments[0]} failed: {done.stderr.strip()}", NEXT_STEP)
        return done.stdout.strip()


def engine_missing() -> str:
    """Empty when a container engine answers within 5 s and has compose; else what is missing."""
    if shutil.which("docker") is None:
        return "there is no docker command on PATH"
    for command, missing in ((["info"], "no container engine answers"), (["compose", "version"], "no docker compose")):
        try:
            done = subprocess.run(["docker", *command], capture_output=True, check=False, timeout=ANSWER_S)
        except (OSError, subprocess.TimeoutExpired):
            return missing
        if done.returncode:
            return missing
    return "" if FILE.exists() else f"there is no {FILE.name}"


def _status(row: dict[str, Any]) -> PartStatus:
    health = str(row.get("Health", ""))
    return PartStatus(
        name=row["Service"],
        state=str(row["State"]),
        pid=_pid(row["ID"]) if row["State"] == "running" else None,
        since=_started(row["ID"]) if row["State"] == "running" else None,
        detail=health if health and health != "healthy" else "",
    )


def _inspect(container: str, what: str) -> str:
    command = ["docker", "inspect", "--format", f"{{{{.State.{what}}}}}", container]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


def _pid(container: str) -> int | None:
    text = _inspect(container, "Pid")
    return int(text) if text.isdigit() and text != "0" else None


def _started(container: str) -> datetime | None:
    text = _inspect(container, "StartedAt")
    return datetime.fromisoformat(text) if text else None
