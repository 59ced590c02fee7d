from __future__ import annotations

import struct
from datetime import UTC, datetime

import numpy as np
import pytest

from scorer.binary_copy import HEADER, TRAILER, Kind, decode_rows, encode_rows, microseconds

KINDS: dict[str, Kind] = {"key": "bigint", "share": "double"}


def test_rows_without_nulls_come_back_as_they_went() -> None:
    columns = {"key": np.array([3, -1, 2**62]), "share": np.array([0.1, -0.0, 1e300])}
    found = decode_rows(encode_rows(columns, KINDS), KINDS)
    assert found["key"].tolist() == columns["key"].tolist()
    assert found["share"].tolist() == columns["share"].tolist()
    assert found["key"].dtype.isnative


def test_no_row_is_no_row() -> None:
    found = decode_rows([HEADER, TRAILER], KINDS)
    assert found["key"].size == 0


def test_nan_is_null_and_takes_no_room() -> None:
    columns = {"key": np.array([7]), "share": np.array([np.nan])}
    row = b"".join(encode_rows(columns, KINDS))[len(HEADER) : -len(TRAILER)]
    assert row == struct.pack(">hiqi", 2, 8, 7, -1)


def test_booleans_are_one_byte() -> None:
    kinds: dict[str, Kind] = {"quiet": "boolean"}
    row = b"".join(encode_rows({"quiet": np.array([1.0])}, kinds))[len(HEADER) : -len(TRAILER)]
    assert row == struct.pack(">hib", 1, 1, 1)


def test_an_unexpected_null_is_refused() -> None:
    columns = {"key": np.array([1]), "share": np.array([np.nan])}
    with pytest.raises(ValueError, match="null"):
        decode_rows(encode_rows(columns, KINDS), KINDS)


def test_times_are_microseconds_since_2000() -> None:
    assert microseconds(datetime(2000, 1, 2, 0, 0, 0, 5, UTC)) == 86_400_000_005
    assert microseconds(datetime(1999, 12, 31, 23, 59, 59, 999_999, UTC)) == -1
