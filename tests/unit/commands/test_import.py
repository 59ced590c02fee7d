"""What `retentioncast import` is asked for, before it touches the shop."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from pathlib import Path

import pytest
from rich.console import Console

from retentioncast.commands.import_ import choose_source, find_zone, show_report
from retentioncast.core.errors import InvalidInput
from retentioncast.imports.report import ImportReport
from retentioncast.imports.rows import BadRow
from retentioncast.imports.sources import Columns

REPORT = ImportReport(
    "orders.csv", "abc", 12_345, 678, datetime(1997, 1, 1, tzinfo=UTC), datetime(1998, 1, 1, tzinfo=UTC), False,
    2, (BadRow(3, "amount", "[red]", "is not a number"), BadRow(9, "time", "", "is missing")), Path("bad.csv"),
)  # fmt: skip


def test_cdnow_needs_no_columns() -> None:
    assert choose_source("cdnow", Columns("", "", "")).name == "CDNOW"


def test_a_file_needs_its_columns_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="Not said: --time, --amount"):
        choose_source(str(tmp_path / "orders.csv"), Columns("who", "", ""))


@pytest.mark.parametrize("name", ["Mars/Olympus", "", "../etc/passwd"])
def test_an_unknown_zone_is_refused(name: str) -> None:
    with pytest.raises(InvalidInput, match="no time zone"):
        find_zone(name)


def test_the_report_tells_counts_new_ids_and_bad_rows() -> None:
    console = Console(record=True, width=200, file=io.StringIO())
    show_report(REPORT, console)
    text = console.export_text()
    assert "12,345 purchases of 678 customers from orders.csv, 1997-01-01 to 1998-01-01" in text
    assert "@abc.import.invalid" in text
    assert "row 3: amount = '[red]': is not a number" in text
    assert "All of them: bad.csv" in text
