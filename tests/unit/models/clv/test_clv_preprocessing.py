"""Purchases as a frame or a file become a summary; the first bad value is named by row, column and value."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from retentioncast.core.errors import InvalidInput
from retentioncast.models.clv.preprocessing import CLVDataPreprocessor
from retentioncast.models.columns import InvalidColumn

ROWS = pd.DataFrame(
    {
        "transaction_id": [1, 2, 3, 3],
        "customer_id": [7, 7, 8, 8],
        "occurred_at": ["2026-01-01", "2026-01-15", "2026-01-08", "2026-01-08"],
        "amount": [20.0, 30.0, 10.0, 10.0],
        "segment": ["ads", "ads", "search", "search"],
    },
    index=pd.Index(["a", "b", "c", "d"]),
)


def test_a_summary_has_a_row_a_customer_with_its_segment() -> None:
    prepared = CLVDataPreprocessor().load_and_clean(ROWS)
    summary = prepared.compute_rfm()
    assert summary.loc[7].to_dict() == {
        "frequency": 1, "recency": 2.0, "T": 2.0, "monetary_value": 30.0, "segment": "ads",
    }  # fmt: skip
    assert summary.attrs["time_unit"] == "week"
    assert prepared.notes_ == ("1 rows of a transaction that was there already were left out",)


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_file_gives_what_its_frame_gives(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"purchases{suffix}"
    ROWS.to_csv(path, index=False) if suffix == ".csv" else ROWS.reset_index(drop=True).to_parquet(path)
    of_frame = CLVDataPreprocessor().load_and_clean(ROWS).compute_rfm()
    pd.testing.assert_frame_equal(CLVDataPreprocessor().load_and_clean(path).compute_rfm(), of_frame)
    pd.testing.assert_frame_equal(CLVDataPreprocessor().load_and_clean(str(path)).compute_rfm(), of_frame)


@pytest.mark.parametrize(
    ("column", "value", "told"),
    [
        ("amount", -1.0, "column 'amount', row 'b': -1.0 is negative"),
        ("amount", np.inf, "column 'amount', row 'b': inf is not a finite number"),
        ("occurred_at", "soon", "column 'occurred_at', row 'b': 'soon' is not a time"),
        ("customer_id", None, "column 'customer_id', row 'b': .* names no customer"),
        ("segment", None, "column 'segment', row 'b': None names no segment"),
        ("segment", "mail", "row 'b': 'mail' is another segment than 'ads'"),
    ],
)
def test_a_bad_value_is_named(column: str, value: Any, told: str) -> None:
    rows = ROWS.astype({column: object})
    rows.loc["b", column] = value
    with pytest.raises(InvalidColumn, match=told):
        CLVDataPreprocessor().load_and_clean(rows).compute_rfm()


def test_a_missing_column_and_a_file_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidColumn, match=r"column 'amount'.* is missing"):
        CLVDataPreprocessor().load_and_clean(ROWS.drop(columns="amount"))
    with pytest.raises(InvalidInput, match=r"only \.csv and \.parquet"):
        CLVDataPreprocessor().load_and_clean(tmp_path / "purchases.xls")
    with pytest.raises(InvalidInput, match="cannot be read"):
        CLVDataPreprocessor().load_and_clean(tmp_path / "nowhere.csv")
