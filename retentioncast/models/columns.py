"""Checks of the columns that models are given: the first bad value is named by column, row and value."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from retentioncast.core.errors import InvalidInput
from retentioncast.models.arrays import Column, Floats


class InvalidColumn(InvalidInput, ValueError):
    """A column holds a value that no model can use. Correct or leave out the named row; nothing was fitted."""

    def __init__(self, column: str, row: object, value: object, reason: str) -> None:
        value = value.item() if isinstance(value, np.generic) else value
        super().__init__(f"column {column!r}, row {row!r}: {value!r} {reason}.", "Correct or leave out this row.")
        self.column, self.row, self.value = column, row, value


def read_column(name: str, column: Column) -> Floats:
    """The column as finite floats of shape (n,) or (). Raises InvalidColumn at the first other value."""
    try:
        values = np.asarray(column, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise _not_a_number(name, column) from error
    refuse(name, column, values, ~np.isfinite(values), "is not a finite number")
    return values


def refuse(name: str, column: Column, values: Floats, bad: NDArray[np.bool_], reason: str) -> None:
    """Raise InvalidColumn for the first row where `bad` is true."""
    if not np.any(bad):
        return
    position = int(np.argmax(np.atleast_1d(bad)))
    row = column.index[position] if isinstance(column, pd.Series) else position
    raise InvalidColumn(name, row, np.atleast_1d(values)[position].item(), reason)


def same_length(**columns: Floats) -> None:
    """Raise InvalidInput unless all columns have one length."""
    lengths = {name: values.size for name, values in columns.items()}
    if len(set(lengths.values())) > 1:
        raise _LengthsDiffer(f"columns differ in length: {lengths}.", "Pass one value a customer in each column.")


class _LengthsDiffer(InvalidInput, ValueError):
    """The columns do not belong to the same customers. Pass columns of one length."""


def _not_a_number(name: str, column: Column) -> InvalidColumn:
    series = column if isinstance(column, pd.Series) else pd.Series(np.atleast_1d(np.asarray(column, dtype=object)))
    numbers = pd.to_numeric(series, errors="coerce")
    position = int(np.argmax(numbers.isna().to_numpy()))
    return InvalidColumn(name, series.index[position], series.iloc[position], "is not a number")
