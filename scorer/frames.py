"""What a snapshot's columns become: a frame a customer a row, and the range of the data."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pandas as pd

from scorer.binary_copy import Array
from scorer.columns import DAYS_PER_WEEK

_UNIX = datetime(1970, 1, 1, tzinfo=UTC)


def customer_frame(columns: dict[str, Array], as_of: datetime) -> pd.DataFrame:
    """The customers of a snapshot, indexed by customer_id."""
    now = (as_of - _UNIX) / timedelta(microseconds=1)
    frame = {
        "frequency": columns["frequency"],
        "recency": columns["recency_days"] / DAYS_PER_WEEK,
        "T": columns["age_days"] / DAYS_PER_WEEK,
        "monetary_value": columns["monetary_value"],
        "days_since_order": (now - columns["latest_order"]) / 86_400e6,
    }
    return pd.DataFrame(frame, index=pd.Index(columns["customer_id"], name="customer_id"))


def data_range(columns: dict[str, Array]) -> tuple[datetime | None, datetime | None]:
    """The earliest and the latest order."""
    if not columns["first_order"].size:
        return None, None
    ends = int(columns["first_order"].min()), int(columns["latest_order"].max())
    first, latest = (_UNIX + timedelta(microseconds=end) for end in ends)
    return first, latest
