"""pymc-marketing in an environment of its own: its packages and ours do not go together."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from retentioncast.core.errors import StackError

LOCK = Path(__file__).with_name("pymc-marketing.lock")
PLACE = Path(__file__).parents[1] / ".work" / "pymc-marketing"


def make_environment(place: Path = PLACE) -> Path:
    """The Python of the environment; it is made from the lock file unless it is there already."""
    python, stamp = place / "bin" / "python", place / "made-from"
    if stamp.exists() and stamp.read_text(encoding="utf-8") == LOCK.read_text(encoding="utf-8"):
        return python
    uv = _uv()
    _run(uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(place))
    _run(uv, "pip", "sync", "--quiet", "--require-hashes", "--python", str(python), str(LOCK))
    stamp.write_text(LOCK.read_text(encoding="utf-8"), encoding="utf-8")
    return python


def _uv() -> str:
    beside = Path(sys.prefix) / "uv" / "bin" / "uv"
    found = str(beside) if beside.exists() else shutil.which("uv")
    if found is None:
        raise StackError("There is no uv to install pymc-marketing with.", "Run ./test.sh once, or pip install uv.")
    return found


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise StackError(f"{command[1]} failed: {done.stderr.strip()}", "Check that the package registry answers.")
