"""Where rows come from: a CSV or Parquet file, or CDNOW; read as text in a stream, so that no cent is ever a float."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from retentioncast.core.errors import InvalidInput
from retentioncast.imports.rows import BadRow, RawRow

CHUNK_ROWS = 50_000
#: Read from the start of a CSV file to see which character divides its columns.
_DELIMITERS = ",;\t|"


class Source(Protocol):
    """A stream of raw rows that knows its name and how to be recognised when it comes again."""

    @property
    def name(self) -> str:
        """What people call it."""

    def mark(self) -> str:
        """A short word that is the same whenever the same rows are imported."""

    def count(self) -> int | None:
        """How many rows there are, when that is known without reading them."""

    def rows(self) -> Iterator[RawRow | BadRow]:
        """All rows in the order of the file. InvalidInput when the file cannot be read."""


@dataclass(frozen=True, slots=True)
class Columns:
    """The file's own names for what an import needs."""

    customer: str
    time: str
    amount: str

    def __iter__(self) -> Iterator[str]:
        return iter((self.customer, self.time, self.amount))


@dataclass(frozen=True, slots=True)
class CsvFile:
    """A text file with a header; `number` of a row is the line that it ends on."""

    path: Path
    columns: Columns

    @property
    def name(self) -> str:
        return self.path.name

    def mark(self) -> str:
        return _digest(self.path, self.columns)

    def count(self) -> int | None:
        return None

    def rows(self) -> Iterator[RawRow | BadRow]:
        # A byte that is not UTF-8 stays visible in its row, and only that row is refused.
        with self.path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
            delimiter = _delimiter(file.readline())
            file.seek(0)
            reader = csv.reader(file, delimiter=delimiter, strict=True)
            header = [name.strip() for name in next(reader, [])]
            positions = _positions(self.path, header, self.columns)
            while (row := _next_row(reader, len(header), positions)) is not None:
                yield row


@dataclass(frozen=True, slots=True)
class ParquetFile:
    """A Parquet file; `number` of a row counts from 1."""

    path: Path
    columns: Columns

    @property
    def name(self) -> str:
        return self.path.name

    def mark(self) -> str:
        return _digest(self.path, self.columns)

    def count(self) -> int | None:
        return int(self._open().metadata.num_rows)

    def rows(self) -> Iterator[RawRow | BadRow]:
        file = self._open()
        _positions(self.path, list(file.schema_arrow.names), self.columns)
        number = 0
        try:
            for batch in file.iter_batches(CHUNK_ROWS, columns=list(dict.fromkeys(self.columns))):
                texts = [_as_text(batch.column(name), name, self.path) for name in self.columns]
                for customer, time, amount in zip(*texts, strict=True):
                    number += 1
                    yield RawRow(number, customer, time, amount)
        except (pa.ArrowException, OSError) as error:
            raise InvalidInput(f"{self.path} is damaged after row {number}: {error}.", "Write it again.") from error

    def _open(self) -> Any:
        try:
            return pq.ParquetFile(self.path)
        except (pa.ArrowException, OSError) as error:
            raise InvalidInput(f"{self.path} is not a Parquet file: {error}.", "Write it again.") from error


def open_file(path: Path, columns: Columns) -> CsvFile | ParquetFile:
    """The reader for this file, by its ending."""
    if not path.is_file():
        raise InvalidInput(f"There is no file {path}.", "Check the path; `cdnow` imports the CDNOW data.")
    match path.suffix.lower():
        case ".csv":
            return CsvFile(path, columns)
        case ".parquet":
            return ParquetFile(path, columns)
    raise InvalidInput(f"{path.name} is neither .csv nor .parquet.", "Convert it, or rename it to what it is.")


def _digest(path: Path, columns: Columns) -> str:
    with path.open("rb") as file:
        content = hashlib.file_digest(file, "sha256")
    content.update("\0".join(columns).encode())
    return content.hexdigest()[:12]


def _delimiter(first_line: str) -> str:
    return max(_DELIMITERS, key=first_line.count)


def _positions(path: Path, header: list[str], columns: Columns) -> list[int]:
    missing = [name for name in columns if name not in header]
    if missing:
        raise InvalidInput(
            f"{path.name} has no column {', '.join(map(repr, missing))}.",
            f"It has: {', '.join(header) or 'nothing at all'}. Name them with --customer, --time and --amount.",
        )
    twice = [name for name in columns if header.count(name) > 1]
    if twice:
        raise InvalidInput(f"{path.name} has the column {twice[0]!r} twice.", "Rename one of them.")
    return [header.index(name) for name in columns]


def _next_row(reader: Any, width: int, positions: list[int]) -> RawRow | BadRow | None:
    """The next row that is not blank; None at the end of the file."""
    try:
        fields = next((fields for fields in reader if fields), None)
    except csv.Error as error:
        return BadRow(reader.line_num, "row", "", f"is not CSV: {error}")
    if fields is None:
        return None
    if len(fields) != width:
        reason = f"has {len(fields)} fields where the header has {width}"
        return BadRow(reader.line_num, "row", ",".join(fields)[:100], reason)
    customer, time, amount = (fields[position] for position in positions)
    return RawRow(reader.line_num, customer, time, amount)


def _as_text(column: Any, name: str, path: Path) -> list[str]:
    """Every value as the shortest text that means it; null as nothing."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_timestamp(column.type) and column.type.tz:
        column = pc.cast(column, pa.timestamp(column.type.unit, "UTC"))
    try:
        texts = pc.cast(column, pa.string())
    except pa.ArrowException as error:
        raise InvalidInput(
            f"Column {name!r} of {path.name} is of type {column.type}, which cannot be read as text.",
            "Choose a column of text, numbers or times.",
        ) from error
    return [text or "" for text in texts.to_pylist()]
