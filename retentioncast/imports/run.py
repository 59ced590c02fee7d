"""Runs an import: read, validate, stage, put in order, place; in one transaction, or paced in event time."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from retentioncast.core.clock import Clock, SystemClock
from retentioncast.core.errors import InvalidInput
from retentioncast.imports.report import ImportReport, Sieve
from retentioncast.imports.rows import Purchase, RowRules
from retentioncast.imports.sources import Source
from retentioncast.imports.store import ShopStore, Staged, open_store
from retentioncast.infra.settings import Settings

logger = logging.getLogger(__name__)

#: Rows a statement: enough that statements cost nothing, few enough to show progress.
PIECE = 20_000
#: Paced rows are looked for at least and at most so often.
SHORTEST_PAUSE_S, LONGEST_PAUSE_S = 0.05, 1.0

#: Told the step ("read", "write"), the rows done, and how many there are if that is known.
Progress = Callable[[str, int, int | None], None]


def _silent(_step: str, _done: int, _total: int | None) -> None:
    """No progress is shown."""


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """How to import: `speed` is event-time seconds a second (None: all at once, in one transaction)."""

    rules: RowRules
    bad_rows_file: Path
    strict: bool = False
    speed: float | None = None
    progress: Progress = field(default=_silent)


def run_import(settings: Settings, source: Source, options: ImportOptions, clock: Clock | None = None) -> ImportReport:
    """Import all of the source; InvalidInput when it cannot be, with nothing written."""
    sieve = Sieve(options.rules, options.bad_rows_file)
    mark = source.mark()
    with open_store(settings, mark) as store:
        store.refuse_if_present()
        staged = _stage(store, source, sieve, options)
        ids_kept = store.assign_ids()
        if options.speed is None:
            _place_at_once(store, staged, options.progress)
        else:
            _place_paced(store, staged, options.speed, options.progress, clock or SystemClock())
        store.commit()
    logger.info(
        "Imported %d purchases of %d customers from %s; %d rows were left out.",
        staged.purchases, staged.customers, source.name, sieve.bad_rows,
        extra={"action": "import", "source": source.name, "rows": staged.purchases},
    )  # fmt: skip
    return ImportReport(
        source.name, mark, staged.purchases, staged.customers, staged.first, staged.latest, ids_kept,
        sieve.bad_rows, tuple(sieve.shown), sieve.kept_in,
    )  # fmt: skip


def _stage(store: ShopStore, source: Source, sieve: Sieve, options: ImportOptions) -> Staged:
    rows = store.stage(_counted(sieve.good(source.rows()), source.count(), options.progress))
    if sieve.bad_rows and options.strict:
        raise InvalidInput(
            f"{sieve.bad_rows:,} rows of {source.name} cannot be used, so nothing was written:\n{sieve.listing()}",
            "Correct them, or import without --strict to leave them out.",
        )
    if not rows:
        found = f":\n{sieve.listing()}" if sieve.bad_rows else "."
        raise InvalidInput(f"{source.name} has no usable row, so nothing was written{found}", "Check its columns.")
    return store.put_in_order()


def _counted(rows: Iterable[Purchase], total: int | None, progress: Progress) -> Iterator[Purchase]:
    count = 0
    for count, row in enumerate(rows, start=1):
        if count % PIECE == 0:
            progress("read", count, total)
        yield row
    progress("read", count, count)


def _place_at_once(store: ShopStore, staged: Staged, progress: Progress) -> None:
    for done in range(0, staged.purchases, PIECE):
        last = min(done + PIECE, staged.purchases)
        store.place(done + 1, last)
        progress("write", last, staged.purchases)


def _place_paced(store: ShopStore, staged: Staged, speed: float, progress: Progress, clock: Clock) -> None:
    """Each row when its time has come, committed piece by piece; the first row's time is now."""
    store.commit()
    begun, done = clock.monotonic_s(), 0
    while done < staged.purchases:
        ahead_s = min((clock.monotonic_s() - begun) * speed, (staged.latest - staged.first).total_seconds())
        time = staged.first + timedelta(seconds=ahead_s)
        last, due = store.reached(done, PIECE, time)
        if last > done:
            store.place(done + 1, last)
            store.commit()
            progress("write", last, staged.purchases)
            done = last
        elif due is not None:
            store.commit()
            pause_s = (due - time).total_seconds() / speed
            clock.sleep(min(max(pause_s, SHORTEST_PAUSE_S), LONGEST_PAUSE_S))
