"""The columns of subscriptions, checked: how long each has been observed, and whether it was cancelled then."""

from __future__ import annotations

import numpy as np
import pandas as pd

from retentioncast.core.errors import NotEnoughData
from retentioncast.models.arrays import Floats
from retentioncast.models.columns import InvalidColumn, read_column, refuse

MIN_SUBSCRIPTIONS = 10


def read_durations(frame: pd.DataFrame) -> Floats:
    """duration_days (n,): from the start to the cancellation, or to now where it goes on. Raises InvalidColumn."""
    column = _column(frame, "duration_days")
    days = read_column("duration_days", column)
    refuse("duration_days", column, days, days < 0, "is negative")
    return days


def read_events(frame: pd.DataFrame) -> Floats:
    """event (n,): 1 where it was cancelled, 0 where it goes on. Raises InvalidColumn."""
    column = _column(frame, "event")
    events = read_column("event", column)
    refuse("event", column, events, ~np.isin(events, (0.0, 1.0)), "is neither 0 nor 1")
    return events


def require_enough(days: Floats, events: Floats) -> None:
    """Raise NotEnoughData when nothing can be said of how long a subscription lasts."""
    if days.size < MIN_SUBSCRIPTIONS:
        raise NotEnoughData(
            f"survival needs {MIN_SUBSCRIPTIONS} subscriptions; there are {days.size}.", "Wait for more subscriptions."
        )
    if events.sum() == 0:
        raise NotEnoughData(
            f"none of {days.size} subscriptions was ever cancelled: their survival has no end to fit.",
            "Wait for the first cancellations.",
        )


def _column(frame: pd.DataFrame, name: str) -> pd.Series:
    if name not in frame.columns:
        raise InvalidColumn(name, None, None, f"is missing; the frame has {list(frame.columns)}")
    return frame[name]
