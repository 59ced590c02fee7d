"""Tells whoever watches a terminal what is being done, what came of it, and how long it took."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from rich.console import Console
from rich.markup import escape

from retentioncast.core.clock import Clock, SystemClock


@dataclass(slots=True)
class Step:
    """One step under way; `result` is what its line says at the end, `note` what it waits for."""

    title: str
    console: Console
    result: str = ""
    noted: str = field(default="", init=False)

    def note(self, text: str) -> None:
        """Say what is being waited for, once."""
        if text != self.noted:
            self.noted = text
            self.console.print(f"    [dim]{escape(text)}[/dim]", highlight=False, soft_wrap=True)


@dataclass(frozen=True, slots=True)
class Progress:
    """Prints a line when a step begins and one when it ends, with the seconds it took."""

    console: Console = field(default_factory=Console)
    clock: Clock = field(default_factory=SystemClock)

    @contextlib.contextmanager
    def step(self, title: str) -> Iterator[Step]:
        """A step: the block does it."""
        begun = self.clock.monotonic_s()
        step = Step(title, self.console)
        self.console.print(f"[cyan]→[/cyan] {escape(title)} …", highlight=False, soft_wrap=True)
        yield step
        took = self.clock.monotonic_s() - begun
        self.console.print(
            f"  [green]✓[/green] {escape(step.result or title)} ({took:.1f} s)", highlight=False, soft_wrap=True
        )

    def say(self, text: str) -> None:
        """A line of its own."""
        self.console.print(escape(text), highlight=False, soft_wrap=True)


def quiet() -> Progress:
    """For those who want no output."""
    return Progress(Console(quiet=True))
