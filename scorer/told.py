"""What the database refused, in the words of what was being done."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from retentioncast.core.errors import Retry


@contextmanager
def told(what: str, who: str = "the scorer", again: str = "The next run tries again.") -> Iterator[None]:
    """A database error becomes a Retry that says who could not do what."""
    try:
        yield
    except psycopg.Error as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise Retry(f"Postgres did not let {who} {what}: {reason}.", again) from error
