"""Files as they come: readable ones row by row, broken ones with a message that says where."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from retentioncast.core.errors import InvalidInput
from retentioncast.imports.rows import BadRow, RawRow
from retentioncast.imports.sources import Columns, open_file

COLUMNS = Columns("who", "when", "paid")
HEADER = "when,who,note,paid\n"


def written(tmp_path: Path, content: str | bytes, name: str = "orders.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def rows(path: Path, columns: Columns = COLUMNS) -> list[RawRow | BadRow]:
    return list(open_file(path, columns).rows())


def test_a_csv_row_is_read_by_the_names_of_its_columns(tmp_path: Path) -> None:
    path = written(tmp_path, HEADER + '1997-01-01,7,"a, b\nc",9.99\n\n1997-01-02,8,,1\n')
    assert rows(path) == [RawRow(3, "7", "1997-01-01", "9.99"), RawRow(5, "8", "1997-01-02", "1")]


def test_semicolons_and_a_byte_order_mark_are_no_harm(tmp_path: Path) -> None:
    path = written(tmp_path, "\ufeffwho;when;paid\n7;1997-01-01;9.99\n")
    assert rows(path) == [RawRow(2, "7", "1997-01-01", "9.99")]


def test_a_row_of_another_width_is_a_bad_row_and_the_next_one_is_read(tmp_path: Path) -> None:
    short, long, good = rows(written(tmp_path, HEADER + "1997-01-01,7\n1,2,3,4,5\n1997-01-02,8,,1\n"))
    assert isinstance(short, BadRow)
    assert (short.number, short.value, short.reason) == (2, "1997-01-01,7", "has 2 fields where the header has 4")
    assert isinstance(long, BadRow)
    assert good == RawRow(4, "8", "1997-01-02", "1")


def test_broken_quotes_are_a_bad_row_and_the_next_one_is_read(tmp_path: Path) -> None:
    broken, good = rows(written(tmp_path, HEADER + '1997-01-01,"7"x,,1\n1997-01-02,8,,1\n'))
    assert isinstance(broken, BadRow)
    assert "not CSV" in broken.reason
    assert good == RawRow(3, "8", "1997-01-02", "1")


def test_a_quote_that_never_ends_is_a_bad_row(tmp_path: Path) -> None:
    (broken,) = rows(written(tmp_path, HEADER + '1997-01-01,"7,,1\n'))
    assert isinstance(broken, BadRow)


def test_bytes_that_are_not_utf8_stay_in_their_row(tmp_path: Path) -> None:
    bad, good = rows(written(tmp_path, HEADER.encode() + b"1997-01-01,M\xfcller,,1\n1997-01-02,8,,1\n"))
    assert isinstance(bad, RawRow)
    assert not bad.customer.isprintable()
    assert good == RawRow(3, "8", "1997-01-02", "1")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("who,when\n7,1997-01-01\n", ("'paid'", "who, when")),
        ("", ("'who'", "nothing at all")),
        ("who,who,when,paid\n", ("'who' twice",)),
    ],
)
def test_missing_and_doubled_columns_are_named(tmp_path: Path, content: str, words: tuple[str, ...]) -> None:
    with pytest.raises(InvalidInput) as caught:
        rows(written(tmp_path, content))
    assert all(word in str(caught.value) for word in words)


@pytest.mark.parametrize("name", ["missing.csv", "orders.xlsx"])
def test_a_file_that_cannot_be_one_is_refused(tmp_path: Path, name: str) -> None:
    written(tmp_path, "", "orders.xlsx")
    with pytest.raises(InvalidInput, match=name):
        open_file(tmp_path / name, COLUMNS)


def test_a_damaged_parquet_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="not a Parquet file"):
        rows(written(tmp_path, b"PAR1 nothing else PAR1", "orders.parquet"))


def parquet(tmp_path: Path, who: Any, when: Any, paid: Any) -> list[RawRow | BadRow]:
    path = tmp_path / "orders.parquet"
    pq.write_table(pa.table({"who": who, "when": when, "paid": paid}), path)
    return rows(path)


@pytest.mark.parametrize(
    ("paid", "text"),
    [
        (pa.array([29.33]), "29.33"),
        (pa.array([29.33], pa.float32()), "29.33"),
        (pa.array([Decimal("29.30")]), "29.30"),
        (pa.array([29]), "29"),
        (pa.array(["29.33"]).dictionary_encode(), "29.33"),
        (pa.array([float("nan")]), "nan"),
        (pa.array([None], pa.float64()), ""),
    ],
)
def test_every_type_of_amount_becomes_its_shortest_text(tmp_path: Path, paid: Any, text: str) -> None:
    assert parquet(tmp_path, pa.array([7.0]), pa.array(["1997-01-01"]), paid) == [RawRow(1, "7", "1997-01-01", text)]


@pytest.mark.parametrize(
    ("when", "text"),
    [
        (pa.array([date(1997, 1, 1)]), "1997-01-01"),
        (pa.array([datetime(1997, 1, 1)], pa.timestamp("ns")), "1997-01-01 00:00:00.000000000"),  # noqa: DTZ001
        (
            pa.array([datetime(1997, 1, 1, 5, tzinfo=UTC)], pa.timestamp("us", "Europe/Vienna")),
            "1997-01-01 05:00:00.000000Z",
        ),
    ],
)
def test_every_type_of_time_becomes_iso_text(tmp_path: Path, when: Any, text: str) -> None:
    assert parquet(tmp_path, pa.array(["7"]), when, pa.array([1])) == [RawRow(1, "7", text, "1")]


def test_a_column_of_lists_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="'paid'"):
        parquet(tmp_path, pa.array(["7"]), pa.array(["1997-01-01"]), pa.array([{"a": 1}]))


def test_pandas_own_parquet_is_read(tmp_path: Path) -> None:
    path = tmp_path / "orders.parquet"
    frame = pd.DataFrame({"who": [1, None], "when": [pd.Timestamp("1997-01-01"), pd.NaT], "paid": [0.1, 2]})
    frame.to_parquet(path)
    first, second = rows(path)
    assert isinstance(first, RawRow)
    assert first.time.startswith("1997-01-01 00:00:00")
    assert (first.customer, first.amount) == ("1", "0.1")
    assert second == RawRow(2, "", "", "2")


def test_the_same_rows_have_the_same_mark_and_others_another(tmp_path: Path) -> None:
    one = open_file(written(tmp_path, HEADER + "1997-01-01,7,,1\n"), COLUMNS)
    same = open_file(written(tmp_path, HEADER + "1997-01-01,7,,1\n", "copy.csv"), COLUMNS)
    other = open_file(written(tmp_path, HEADER + "1997-01-01,7,,2\n", "other.csv"), COLUMNS)
    assert one.mark() == same.mark() != other.mark()
