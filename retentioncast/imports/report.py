"""What an import found and did: the counts, and every row that could not be used, kept in a file."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from retentioncast.imports.rows import BadRow, Purchase, RawRow, RowRules, read_row

#: So many bad rows are shown; all of them stand in the file.
SHOWN = 20
#: A spreadsheet takes a text that starts like this for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What became of an import; `ids_kept` tells whether the shop's customer ids are those of the source."""

    source: str
    mark: str
    purchases: int
    customers: int
    first: datetime
    latest: datetime
    ids_kept: bool
    bad_rows: int
    shown: tuple[BadRow, ...]
    bad_rows_file: Path | None

    def as_json(self) -> dict[str, Any]:
        """Plain values for `--json`."""
        return {
            "source": self.source,
            "mark": self.mark,
            "purchases": self.purchases,
            "customers": self.customers,
            "first": self.first.isoformat(),
            "latest": self.latest.isoformat(),
            "ids_kept": self.ids_kept,
            "bad_rows": self.bad_rows,
            "shown": [
                {"row": bad.number, "field": bad.field, "value": bad.value, "reason": bad.reason} for bad in self.shown
            ],
            "bad_rows_file": str(self.bad_rows_file) if self.bad_rows_file else None,
        }


@dataclass(slots=True)
class Sieve:
    """Lets good rows through and keeps the bad ones: the first in memory, all in `file`, made when needed."""

    rules: RowRules
    file: Path
    bad_rows: int = 0
    shown: list[BadRow] = field(default_factory=list)

    def good(self, rows: Iterable[RawRow | BadRow]) -> Iterator[Purchase]:
        """The purchases among the rows."""
        with ExitStack() as open_files:
            writer = None
            for raw in rows:
                row = raw if isinstance(raw, BadRow) else read_row(raw, self.rules)
                if isinstance(row, Purchase):
                    yield row
                    continue
                if writer is None:
                    writer = self._open(open_files)
                self._keep(row, writer)

    @property
    def kept_in(self) -> Path | None:
        """The file with all bad rows, if there are any."""
        return self.file if self.bad_rows else None

    def listing(self) -> str:
        """The first bad rows, one a line, and where the rest is."""
        lines = [_visible(str(bad)) for bad in self.shown]
        if self.bad_rows > len(self.shown):
            lines.append(f"... and {self.bad_rows - len(self.shown):,} more")
        return "\n".join([*lines, f"All of them: {self.file}"])

    def _open(self, open_files: ExitStack) -> Any:
        self.file.parent.mkdir(parents=True, exist_ok=True)
        file = open_files.enter_context(self.file.open("w", encoding="utf-8", newline=""))
        writer = csv.writer(file)
        writer.writerow(("row", "field", "value", "reason"))
        return writer

    def _keep(self, bad: BadRow, writer: Any) -> None:
        self.bad_rows += 1
        if len(self.shown) < SHOWN:
            self.shown.append(BadRow(bad.number, bad.field, _visible(bad.value), bad.reason))
        value = _visible(bad.value)
        writer.writerow((bad.number, bad.field, f"'{value}" if value.startswith(_FORMULA) else value, bad.reason))


def _visible(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()
