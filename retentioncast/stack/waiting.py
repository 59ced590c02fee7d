"""Waits until something is so, with a deadline, never for a fixed time."""

from __future__ import annotations

from collections.abc import Callable

from retentioncast.core.clock import Clock, SystemClock


def wait_until_empty(
    reason: Callable[[], str],
    deadline_s: float,
    note: Callable[[str], None] | None = None,
    clock: Clock | None = None,
    note_every_s: float = 5.0,
) -> str:
    """Ask for the reason why not yet until there is none; what is left of it at the deadline is returned.

    `note` is told the reason now and then while it lasts.
    """
    clock = clock or SystemClock()
    begun = noted = clock.monotonic_s()
    pause = 0.05
    while left := reason():
        now = clock.monotonic_s()
        if now - begun >= deadline_s:
            return left
        if note and now - noted >= note_every_s:
            noted = now
            note(f"{left} ({now - begun:.0f} of at most {deadline_s:.0f} s)")
        clock.sleep(pause)
        pause = min(pause * 1.5, 0.5)
    return ""
