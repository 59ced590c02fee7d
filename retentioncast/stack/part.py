"""What a part of the stack is, and what either kind of stack can do with its parts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Program:
    """How the supervisor runs a part. Parts with a lower priority start first and stop last."""

    name: str
    command: Sequence[str]
    priority: int
    environment: Mapping[str, str] = field(default_factory=dict)
    #: The account to run under; empty: whoever started the stack.
    user: str = ""
    directory: Path = Path("/")
    stop_signal: str = "TERM"
    stop_wait_s: int = 30
    start_s: int = 1


class Part(Protocol):
    """One process of the native stack."""

    @property
    def name(self) -> str:
        """What people and the supervisor call it."""

    @property
    def deadline_s(self) -> float:
        """How long it may take from its start until it is ready."""

    def prepare(self) -> Program:
        """Write what it needs before it starts; doing it again changes nothing. StackError says what is wrong."""

    def not_ready(self) -> str:
        """Empty when it does its work, else why not yet."""


@dataclass(frozen=True, slots=True)
class PartStatus:
    """A part as it is now. `state` is running, starting, backoff, stopping, stopped, exited or fatal."""

    name: str
    state: str
    pid: int | None = None
    since: datetime | None = None
    detail: str = ""


class Stack(Protocol):
    """The parts, however they run."""

    def down(self) -> None:
        """Stop everything; the data stays."""

    def parts(self) -> list[PartStatus]:
        """Each part as it is now."""

    def start(self, name: str) -> None:
        """Start a part."""

    def stop(self, name: str) -> None:
        """Stop a part; it stays stopped until started again."""

    def restart(self, name: str) -> None:
        """Stop a part and start it again."""

    def logs(self, name: str, follow: bool, lines: int) -> Iterator[str]:
        """The last lines of a part's log (empty name: of every part), then new ones as they come."""
