"""Where the native stack keeps things: all below the home, but for what cannot live there."""

from __future__ import annotations

import hashlib
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from retentioncast.core.errors import StackError

#: A unix socket's path holds 107 bytes; supervisor first makes it with ".<pid>" behind it.
LONGEST_SOCKET_PATH = 107 - len(".4194304")
CHECKOUT = Path(__file__).resolve().parents[2]
TEMPLATES = Path(__file__).resolve().parent / "templates"


@dataclass(frozen=True, slots=True)
class Paths:
    """The folders and files of one home."""

    home: Path

    @property
    def run(self) -> Path:
        return self.home / "run"

    @property
    def programs(self) -> Path:
        return self.run / "programs"

    @property
    def logs(self) -> Path:
        return self.home / "logs"

    @property
    def kafka(self) -> Path:
        return self.home / "kafka"

    @property
    def connect(self) -> Path:
        return self.home / "connect"

    @property
    def key(self) -> str:
        """Twelve letters that tell this home from every other on the machine."""
        return hashlib.sha256(os.fsencode(self.home)).hexdigest()[:12]

    @property
    def socket(self) -> Path:
        """The supervisor's socket: in the home, or in a short folder where the home's path is too long."""
        here = self.run / "supervisor.sock"
        if len(os.fsencode(here)) <= LONGEST_SOCKET_PATH:
            return here
        return Path(tempfile.gettempdir()) / f"retentioncast-{os.geteuid()}-{self.key}" / "supervisor.sock"

    def log(self, part: str) -> Path:
        return self.logs / f"{part}.log"

    def make(self) -> None:
        """Make the folders; StackError when the home cannot be written."""
        try:
            for folder in (self.home, self.run, self.programs, self.logs, self.kafka, self.connect):
                folder.mkdir(parents=True, exist_ok=True)
            self.socket.parent.mkdir(mode=0o700, exist_ok=True)
            (self.home / ".writable").touch()
            (self.home / ".writable").unlink()
        except OSError as error:
            raise StackError(
                f"The home {self.home} cannot be written: {error.strerror or error}.",
                "Give yourself the right to write there, or set RETENTIONCAST_HOME to another folder.",
            ) from error
        if self.socket.parent.stat().st_uid != os.geteuid():
            raise StackError(
                f"The folder {self.socket.parent} belongs to somebody else.",
                "Remove it, or set RETENTIONCAST_HOME to a shorter path.",
            )


def render(template: str, **values: object) -> str:
    """The text of a file in templates/ with its {names} filled in."""
    return (TEMPLATES / template).read_text(encoding="utf-8").format(**values)
