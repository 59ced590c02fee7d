"""CDNOW, the 1/10 sample: 6,919 purchases of 2,357 customers, from the data files of the package `lifetimes`.

Fader & Hardie's data set as `lifetimes` ships it: a line is the customer's id in the whole data set (of 23,570), the
id within the sample (1 to 2,357), the day (YYYYMMDD), the number of CDs and the dollar value. The package itself is
never imported: it is found, and its file is read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from pathlib import Path

from retentioncast.core.errors import InvalidInput
from retentioncast.imports.rows import BadRow, RawRow

PACKAGE = "lifetimes"
FILE = Path("datasets", "CDNOW_sample.txt")
PURCHASES = 6_919
CUSTOMERS = 2_357
_FIELDS = 5


@dataclass(frozen=True, slots=True)
class Cdnow:
    """The sample as a source; the customer is the id within the sample, the time is the day's UTC midnight."""

    path: Path
    name: str = "CDNOW"

    def mark(self) -> str:
        return "cdnow"

    def count(self) -> int | None:
        return PURCHASES

    def rows(self) -> Iterator[RawRow | BadRow]:
        with self.path.open(encoding="ascii", errors="backslashreplace") as file:
            for number, line in enumerate(file, start=1):
                yield _row(number, line)


def find_cdnow(find: Callable[[str], ModuleSpec | None] = find_spec) -> Cdnow:
    """The sample of the installed package; InvalidInput says what to install when it is not there."""
    spec = find(PACKAGE)
    folders = list(spec.submodule_search_locations or []) if spec else []
    for path in (Path(folder) / FILE for folder in folders):
        if path.is_file():
            return Cdnow(path)
    raise InvalidInput(
        f"The CDNOW data is not here: it comes with the package {PACKAGE!r}, which is not installed.",
        "Install it with `uv pip install 'retentioncast[cdnow]'` and import again.",
    )


def _row(number: int, line: str) -> RawRow | BadRow:
    fields = line.split()
    if len(fields) != _FIELDS:
        return BadRow(number, "row", line.strip()[:100], f"has {len(fields)} fields, not {_FIELDS}")
    _, customer, day, _, dollars = fields
    return RawRow(number, customer.lstrip("0"), day, dollars)
