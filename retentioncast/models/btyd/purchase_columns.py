"""The columns of repeat buying in lifetimes' shape, checked: frequency, recency, T, monetary_value, weights."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from retentioncast.models.arrays import Column, Floats
from retentioncast.models.columns import InvalidColumn, read_column, refuse, same_length

PURCHASE_COLUMNS = ("frequency", "recency", "T")
SPEND_COLUMNS = ("frequency", "monetary_value")


def read_purchases(frequency: Column, recency: Column, T: Column) -> tuple[Floats, Floats, Floats]:
    """Frequency, recency and T as floats, once they make sense together.

    Raises InvalidColumn (a ValueError) for a value that is negative or not finite, a frequency that is no whole
    number, T < recency, or a frequency and a recency of which only one is 0.
    """
    x = read_frequency(frequency)
    t_x, age = read_column("recency", recency), read_column("T", T)
    refuse("recency", recency, t_x, t_x < 0, "is negative")
    refuse("T", T, age, age < 0, "is negative")
    x, t_x, age = np.broadcast_arrays(x, t_x, age)
    refuse("T", T, age, age < t_x, "is before the latest purchase (recency)")
    refuse("recency", recency, t_x, (x > 0) & (t_x == 0), "is 0 although there are repeat purchases")
    refuse("recency", recency, t_x, (x == 0) & (t_x > 0), "is above 0 although there is no repeat purchase")
    return x, t_x, age


def read_opportunities(frequency: Column, recency: Column, T: Column) -> tuple[Floats, Floats, Floats]:
    """As `read_purchases`, for time in opportunities: recency and T are whole numbers, frequency at most recency."""
    x, t_x, n = read_purchases(frequency, recency, T)
    refuse("recency", recency, t_x, t_x != np.floor(t_x), "is not a whole number of opportunities")
    refuse("T", T, n, n != np.floor(n), "is not a whole number of opportunities")
    refuse("frequency", frequency, x, x > t_x, "is more purchases than opportunities up to the latest (recency)")
    return x, t_x, n


def read_frequency(frequency: Column) -> Floats:
    """Repeat purchases as floats: whole numbers, none negative; else InvalidColumn."""
    x = read_column("frequency", frequency)
    refuse("frequency", frequency, x, x < 0, "is negative")
    refuse("frequency", frequency, x, x != np.floor(x), "is not a whole number")
    return x


def read_spend(frequency: Column, monetary: Column) -> tuple[Floats, Floats]:
    """Frequency and mean spend an order (0 or more) as floats; else InvalidColumn."""
    x, m = read_frequency(frequency), read_column("monetary_value", monetary)
    refuse("monetary_value", monetary, m, m < 0, "is negative")
    x, m = np.broadcast_arrays(x, m)
    return x, m


def read_weights(weights: Column | None, n: int) -> Floats:
    """How many customers each row stands for (1 unless told); else InvalidColumn."""
    if weights is None:
        return np.ones(n)
    values = read_column("weights", weights)
    same_length(frequency=np.empty(n), weights=values)
    refuse("weights", weights, values, values < 0, "is negative")
    return values


def from_frame(frame: pd.DataFrame, names: tuple[str, ...]) -> list[pd.Series]:
    """The named columns of a frame in lifetimes' shape. Raises InvalidColumn for one that is missing."""
    for name in names:
        if name not in frame.columns:
            raise InvalidColumn(name, None, None, f"is missing; the frame has {list(frame.columns)}")
    return [frame[name] for name in names]


def flat_apply(kernel: Callable[..., tuple[Floats, ...]], *columns: Column) -> tuple[Floats, ...]:
    """The columns that a kernel of columns (n,) gives, for whatever broadcasts, in the shape of that."""
    together = np.broadcast_arrays(*columns)
    flat = (np.ascontiguousarray(column.ravel(), dtype=np.float64) for column in together)
    return tuple(column.reshape(together[0].shape) for column in kernel(*flat))
