"""From a log of purchases, a frame or a file, to the summary that the value is fitted to."""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol, Self

import numpy as np
import pandas as pd

from retentioncast.core.errors import InvalidInput
from retentioncast.models.btyd.time_unit import TimeUnit
from retentioncast.models.btyd.transactions import summary_from_transactions
from retentioncast.models.columns import InvalidColumn


class File(Protocol):
    """What a caller hands over to be read or written: pathlib.Path, or any other store's path that can do the same."""

    @property
    def suffix(self) -> str: ...

    def read_bytes(self) -> bytes: ...

    def write_bytes(self, data: bytes, /) -> int: ...


@dataclass(frozen=True, slots=True)
class Columns:
    """What the columns are called."""

    customer: str = "customer_id"
    time: str = "occurred_at"
    amount: str = "amount"
    segment: str = "segment"
    transaction: str = "transaction_id"


class CLVDataPreprocessor:
    """Reads purchases, one a row, and summarises them.

    >>> rows = pd.DataFrame({"customer_id": [7, 7, 8], "occurred_at": ["2026-01-01", "2026-01-15", "2026-01-08"],
    ...                      "amount": [20, 30, 10], "segment": ["ads", "ads", "search"]})
    >>> prepared = CLVDataPreprocessor().load_and_clean(rows)
    >>> prepared.compute_rfm()["frequency"].to_dict()
    {7: 1, 8: 0}
    """

    def __init__(self, columns: Columns | None = None, zone: str = "UTC", time_unit: TimeUnit = "week") -> None:
        self.columns = columns or Columns()
        self.zone = zone
        self.time_unit: TimeUnit = time_unit
        self.transactions_: pd.DataFrame = pd.DataFrame()
        #: What was left out, in words.
        self.notes_: tuple[str, ...] = ()

    def load_and_clean(self, source: pd.DataFrame | File | str) -> Self:
        """Take a frame, or the path of a .csv or .parquet file.

        Rows whose transaction_id was there before are left out and counted in `notes_` (without such a column all rows
        stay: two equal rows may be two purchases). Raises InvalidColumn, which names row, column
        and value, for a time that is none, an amount that is negative or no number, a missing customer or segment;
        InvalidInput for a file that cannot be read.
        """
        rows = (
            source if isinstance(source, pd.DataFrame) else _read(Path(source) if isinstance(source, str) else source)
        )
        names = self.columns
        for name in (names.customer, names.time, names.amount):
            if name not in rows.columns:
                raise InvalidColumn(name, None, None, f"is missing; there are {list(map(str, rows.columns))}")
        _refuse_negative(rows[names.amount])
        if names.segment in rows.columns:
            _refuse_missing(rows[names.segment])
            _refuse_two(rows, names)
        kept = rows.drop_duplicates(names.transaction) if names.transaction in rows.columns else rows
        twice = len(rows) - len(kept)
        self.notes_ = (f"{twice} rows of a transaction that was there already were left out",) if twice else ()
        self.transactions_ = kept
        return self

    def compute_rfm(self, observed_until: datetime | None = None) -> pd.DataFrame:
        """One row a customer: frequency, recency, T, monetary_value, and segment where the rows name one.

        See `summary_from_transactions`, which does it.
        """
        names = self.columns
        summary = summary_from_transactions(
            self.transactions_, customer=names.customer, time=names.time, amount=names.amount,
            observed_until=observed_until, zone=self.zone, time_unit=self.time_unit,
        )  # fmt: skip
        if names.segment in self.transactions_.columns:
            of_customer = self.transactions_.groupby(names.customer)[names.segment].first()
            summary["segment"] = of_customer.reindex(summary.index)
        return summary


def _read(file: File) -> pd.DataFrame:
    if file.suffix not in (".csv", ".parquet"):
        raise InvalidInput(f"{file}: only .csv and .parquet are read.", "Give one of these, or a frame.")
    try:
        data = io.BytesIO(file.read_bytes())
        return pd.read_csv(data) if file.suffix == ".csv" else pd.read_parquet(data)
    except (OSError, ValueError) as error:
        raise InvalidInput(f"{file} cannot be read: {error}.", "Correct the path or the file.") from error


def _refuse_negative(amount: pd.Series) -> None:
    bad = (pd.to_numeric(amount, errors="coerce") < 0).to_numpy()
    if bad.any():
        row = int(np.argmax(bad))
        reason = "is negative: pass orders, each net of what was given back"
        raise InvalidColumn(str(amount.name), amount.index[row], amount.iloc[row], reason)


def _refuse_missing(segment: pd.Series) -> None:
    if segment.isna().any():
        row = segment.index[int(segment.isna().to_numpy().argmax())]
        raise InvalidColumn(str(segment.name), row, None, "names no segment")


def _refuse_two(rows: pd.DataFrame, names: Columns) -> None:
    """A customer belongs to one segment."""
    first = rows.groupby(names.customer)[names.segment].transform("first")
    other = (rows[names.segment] != first).to_numpy() & rows[names.customer].notna().to_numpy()
    if other.any():
        row = int(np.argmax(other))
        value = rows[names.segment].iloc[row]
        reason = f"is another segment than {first.iloc[row]!r} of the same customer's earlier row"
        raise InvalidColumn(names.segment, rows.index[row], value, reason)
