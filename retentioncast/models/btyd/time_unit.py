"""The unit in which models count time, carried with the data, so that weeks never meet days."""

from __future__ import annotations

from typing import Literal

import pandas as pd

from retentioncast.core.errors import InvalidInput

TimeUnit = Literal["day", "week", "month"]

#: A month is a twelfth of 365.25 days.
DAYS_PER_UNIT: dict[TimeUnit, float] = {"day": 1.0, "week": 7.0, "month": 30.4375}


class UnitsDiffer(InvalidInput, ValueError):
    """Data and model count time in different units. Build the summary in the model's unit."""


def require_unit(frame: pd.DataFrame, unit: TimeUnit) -> None:
    """Raise UnitsDiffer when the frame says (in attrs["time_unit"]) that it counts in another unit."""
    stated = frame.attrs.get("time_unit", unit)
    if stated != unit:
        raise UnitsDiffer(
            f"the data count time in {stated}s, the model in {unit}s.",
            f"Call summary_from_transactions(..., time_unit={unit!r}).",
        )
