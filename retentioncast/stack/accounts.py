"""Postgres refuses to run as root: which account runs it instead, and what that account can reach."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from retentioncast.core.errors import StackError

PREFERRED = ("postgres", "nobody")


@dataclass(frozen=True, slots=True)
class Account:
    """Whom a command runs as; an empty name is whoever runs us."""

    name: str = ""

    def can_enter(self, folder: Path) -> bool:
        """Whether this account gets into a folder and can read it."""
        return self.run(["/bin/sh", "-c", 'cd "$1" && ls . >/dev/null', "sh", str(folder)]).returncode == 0

    def can_run(self, program: Path) -> bool:
        """Whether this account can run a program."""
        try:
            return self.run([str(program), "--version"]).returncode == 0
        except OSError:
            return False

    def own(self, folder: Path) -> None:
        """Give the account a folder (made, empty or its own already)."""
        folder.mkdir(parents=True, exist_ok=True)
        if self.name:
            shutil.chown(folder, self.name, pwd.getpwnam(self.name).pw_gid)

    def run(self, command: list[str]) -> subprocess.CompletedProcess[str]:
        """Run a command as this account, from /, with nothing of the caller's environment that could mislead it."""
        environment = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}
        text = {"capture_output": True, "text": True, "cwd": "/", "env": environment}
        if not self.name:
            return subprocess.run(command, check=False, **text)  # type: ignore[call-overload,no-any-return]
        entry = pwd.getpwnam(self.name)
        switch = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
        return subprocess.run(command, check=False, **switch, **text)  # type: ignore[call-overload,no-any-return]


def server_account() -> Account:
    """As root an unprivileged account, else our own."""
    if os.geteuid() != 0:
        return Account()
    for name in PREFERRED:
        try:
            if pwd.getpwnam(name).pw_uid != 0:
                return Account(name)
        except KeyError:
            continue
    raise StackError(
        "Postgres does not run as root, and this machine has neither of the accounts postgres and nobody.",
        "Run it as an ordinary user, or add an account: useradd --system postgres",
    )
