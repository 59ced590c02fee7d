"""What must hold before anything is started: room on the disk, a home that can be written, one `up` at a time."""

from __future__ import annotations

import contextlib
import fcntl
import shutil
from collections.abc import Iterator
from pathlib import Path

from retentioncast.core.errors import StackError
from retentioncast.stack.paths import Paths

#: Data of the demo, 4 GB of WAL at most, Kafka's log: the demo itself stays far below.
NEEDED_DISK_BYTES = 3 * 10**9


def refuse_full_disk(home: Path, needed: int = NEEDED_DISK_BYTES) -> None:
    """StackError when the disk of the home has less room than a stack needs."""
    folder = home
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise StackError(
            f"Only {free / 1e9:.1f} GB are free on the disk of {home}; the stack needs {needed / 1e9:.0f} GB.",
            "Make room, or set RETENTIONCAST_HOME to a folder on another disk.",
        )


@contextlib.contextmanager
def only_one(paths: Paths) -> Iterator[None]:
    """Held while the stack of a home is changed; StackError when another command holds it."""
    with (paths.run / "lock").open("w", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise StackError(
                f"Another `retentioncast up` or `down` is at work on {paths.home}.", "Wait until it has ended."
            ) from error
        yield
