"""What a version should know of the code that made it: the commit, and the packages that the numbers depend on."""

from __future__ import annotations

import os
import subprocess
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from retentioncast.infra.settings import ENV_PREFIX

PACKAGES = ("retentioncast", "numpy", "scipy", "numba", "pandas", "lifelines", "pymc", "nutpie", "arviz")
_GIT_PATIENCE_S = 5.0


@cache
def package_versions() -> dict[str, str]:
    """Installed packages that fits depend on, with their versions."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


@cache
def git_commit() -> str:
    """The commit of this code: RETENTIONCAST_COMMIT where an image says it, else the checkout's; empty when unknown.
    `-dirty` where files differ from it."""
    if told := os.environ.get(f"{ENV_PREFIX}COMMIT"):
        return told
    command = ["git", "describe", "--always", "--abbrev=40", "--match=", "--dirty"]
    here = Path(__file__).resolve().parent
    try:
        told = subprocess.run(
            command, cwd=here, capture_output=True, text=True, check=True, timeout=_GIT_PATIENCE_S
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return ""
    return told.strip()
