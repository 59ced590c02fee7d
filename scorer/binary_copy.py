"""Rows of Postgres' binary COPY as numpy arrays and back: a million customers in a second, not row by row.

Format: https://www.postgresql.org/docs/current/sql-copy.html, "Binary Format".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Kind = Literal["bigint", "double", "boolean", "timestamptz"]
Array = NDArray[Any]

HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER = b"\xff\xff"
_FORMATS: Mapping[Kind, str] = {"bigint": ">i8", "double": ">f8", "boolean": "u1", "timestamptz": ">i8"}
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)


def decode_rows(chunks: Iterable[bytes], kinds: Mapping[str, Kind]) -> dict[str, Array]:
    """The columns of a COPY TO whose rows hold no null, by name. ValueError for anything else."""
    data = b"".join(chunks)
    row = _row_type(list(kinds.values()))
    body = memoryview(data)[len(HEADER) : len(data) - len(TRAILER)]
    if len(body) % row.itemsize:
        raise ValueError("rows of COPY differ in length: there are nulls, or other columns than asked for")
    rows = np.frombuffer(body, dtype=row)
    return {name: rows[f"value{i}"].astype(row[f"value{i}"].newbyteorder("=")) for i, name in enumerate(kinds)}


def encode_rows(columns: Mapping[str, Array], kinds: Mapping[str, Kind]) -> Iterator[bytes]:
    """The pieces of a COPY FROM of these columns; NaN is null. Rows with nulls in the same places come together."""
    yield HEADER
    names = list(kinds)
    nulls = np.stack([np.isnan(np.asarray(columns[name], dtype=np.float64)) for name in names], axis=1)
    patterns, pattern_of_row = np.unique(nulls, axis=0, return_inverse=True)
    for number, pattern in enumerate(patterns):
        rows = np.flatnonzero(pattern_of_row.ravel() == number)
        yield _encode(columns, kinds, [n for n, null in zip(names, pattern, strict=True) if not null], rows)
    yield TRAILER


def microseconds(moment: datetime) -> int:
    """A time as Postgres sends it: microseconds since 2000-01-01 UTC."""
    since = moment - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def _encode(
    columns: Mapping[str, Array], kinds: Mapping[str, Kind], present: Sequence[str], rows: NDArray[np.int64]
) -> bytes:
    type_ = _row_type([kind if name in present else None for name, kind in kinds.items()])
    encoded = np.zeros(rows.size, dtype=type_)
    encoded["fields"] = len(kinds)
    for i, (name, kind) in enumerate(kinds.items()):
        encoded[f"length{i}"] = np.dtype(_FORMATS[kind]).itemsize if name in present else -1
        if name in present:
            encoded[f"value{i}"] = columns[name][rows]
    return encoded.tobytes()


def _row_type(kinds: Sequence[Kind | None]) -> np.dtype[np.void]:
    fields: list[tuple[str, str]] = [("fields", ">i2")]
    for i, kind in enumerate(kinds):
        fields.append((f"length{i}", ">i4"))
        if kind is not None:
            fields.append((f"value{i}", _FORMATS[kind]))
    return np.dtype(fields)
