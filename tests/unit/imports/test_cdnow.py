"""CDNOW comes from the installed package's files, which is never imported."""

from __future__ import annotations

import sys
from decimal import Decimal
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest

from retentioncast.core.errors import InvalidInput
from retentioncast.imports.cdnow import CUSTOMERS, FILE, PURCHASES, Cdnow, find_cdnow
from retentioncast.imports.rows import BadRow, RawRow


def test_the_sample_has_its_published_size() -> None:
    rows = list(find_cdnow().rows())
    good = [row for row in rows if isinstance(row, RawRow)]
    assert len(rows) == len(good) == PURCHASES
    assert len({row.customer for row in good}) == CUSTOMERS
    assert rows[0] == RawRow(1, "1", "19970101", "29.33")
    assert sum(Decimal(row.amount) for row in good) == Decimal("244091.94")


def test_the_package_is_not_imported() -> None:
    find_cdnow()
    assert "lifetimes" not in sys.modules


def test_a_missing_package_says_what_to_install() -> None:
    with pytest.raises(InvalidInput, match=r"retentioncast\[cdnow\]"):
        find_cdnow(lambda name: None)


def test_a_package_without_the_file_says_the_same(tmp_path: Path) -> None:
    spec = ModuleSpec("lifetimes", None, is_package=True)
    spec.submodule_search_locations = [str(tmp_path)]
    with pytest.raises(InvalidInput, match=r"retentioncast\[cdnow\]"):
        find_cdnow(lambda name: spec)


def test_a_damaged_line_is_a_bad_row(tmp_path: Path) -> None:
    path = tmp_path / FILE.name
    path.write_text(" 00004 0001 19970101  2   29.33\n 00004 0001\n")
    good, bad = Cdnow(path).rows()
    assert isinstance(good, RawRow)
    assert bad == BadRow(2, "row", "00004 0001", "has 2 fields, not 5")
