"""The columns of contracts, checked: renewals survived, whether lost at the next one; and tables of cohorts."""

from __future__ import annotations

import numpy as np
import pandas as pd

from retentioncast.core.errors import NotEnoughData
from retentioncast.models.arrays import Column, Floats
from retentioncast.models.columns import InvalidColumn, read_column, refuse

RENEWAL_COLUMNS = ("periods", "lost")
MIN_CUSTOMERS = 10


def read_periods(periods: Column, name: str = "periods") -> Floats:
    """Renewals survived, as floats: whole numbers, none negative; else InvalidColumn (a ValueError)."""
    values = read_column(name, periods)
    refuse(name, periods, values, values < 0, "is negative")
    refuse(name, periods, values, values != np.floor(values), "is not a whole number")
    return values


def read_renewals(periods: Column, lost: Column) -> tuple[Floats, Floats]:
    """Renewals survived and 1 where the customer was lost at the next one (0: still active); else InvalidColumn."""
    survived, gone = read_periods(periods), read_column("lost", lost)
    refuse("lost", lost, gone, ~np.isin(gone, (0.0, 1.0)), "is neither 0 nor 1")
    survived, gone = np.broadcast_arrays(survived, gone)
    return survived, gone


def read_cohorts(survivors: pd.DataFrame | Floats) -> tuple[Floats, Floats, Floats]:
    """Periods, lost and weights (one row a step of a cohort) of a table of survivors.

    A row a cohort; column t holds how many were active after t renewals (column 0: the cohort's size), NaN from where
    it has not been observed. Raises InvalidColumn for a value that is negative, infinite, larger than the one before
    it, behind a gap, or a size that is missing.
    """
    table = pd.DataFrame(survivors)
    for position, name in enumerate(table.columns):
        _check_period(table, position, str(name))
    counts = table.to_numpy(dtype=np.float64)
    following = np.column_stack([counts[:, 1:], np.full(len(counts), np.nan)])
    seen, last = ~np.isnan(counts), ~np.isnan(counts) & np.isnan(following)
    step = np.broadcast_to(np.arange(counts.shape[1], dtype=np.float64), counts.shape)
    leaving = seen & ~last
    weights = np.concatenate([(counts - following)[leaving], counts[last]])
    lost = np.concatenate([np.ones(int(leaving.sum())), np.zeros(int(last.sum()))])
    return np.concatenate([step[leaving], step[last]]), lost, weights


def require_enough(periods: Floats, lost: Floats, weights: Floats) -> None:
    """Raise NotEnoughData unless there are customers, some lost, some not, and more than one renewal to compare."""
    n, gone = float(weights.sum()), float(weights @ lost)
    if n < MIN_CUSTOMERS or gone == 0:
        raise NotEnoughData(
            f"sBG needs {MIN_CUSTOMERS} customers and one that was lost; there are {n:g} and {gone:g}.",
            "Wait for more contracts and their renewals.",
        )
    faced = (periods + lost)[weights > 0]
    if faced.max() < 2:
        raise NotEnoughData(
            "no customer has faced a second renewal: nothing shows how the rate changes.", "Wait one more period."
        )


def _check_period(table: pd.DataFrame, position: int, name: str) -> None:
    column = table.iloc[:, position]
    values = pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64)
    unreadable = np.isnan(values) & column.notna().to_numpy()
    refuse_row(name, column, unreadable | np.isinf(values), "is not a finite number")
    refuse_row(name, column, values < 0, "is negative")
    if position == 0:
        refuse_row(name, column, np.isnan(values), "is missing: the first column is the cohort's size")
        return
    before = pd.to_numeric(table.iloc[:, position - 1], errors="coerce").to_numpy(dtype=np.float64)
    refuse_row(name, column, ~np.isnan(values) & np.isnan(before), "stands behind a period that is missing")
    refuse_row(name, column, values > before, "is more than there were a period before")


def refuse_row(name: str, column: pd.Series, bad: np.ndarray[tuple[int], np.dtype[np.bool_]], reason: str) -> None:
    """Raise InvalidColumn for the first row where `bad` is true, by its label."""
    if bad.any():
        position = int(np.argmax(bad))
        raise InvalidColumn(name, column.index[position], column.iloc[position], reason)
