"""Reads survival curves and the retention triangle for people, or says why there are none."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from psycopg.rows import dict_row

from retentioncast.core.errors import InvalidInput, NotEnoughData
from retentioncast.infra.postgres import connect
from retentioncast.infra.settings import Settings
from retentioncast.infra.sql import sql

GROUPS = ("all", "plan", "channel", "cohort")
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Curves:
    """Rows of scores.survival_curve by label and day, and the time that they speak of."""

    as_of: datetime
    rows: list[Row]

    def by_label(self) -> dict[str, list[Row]]:
        """Each curve's steps in the order of days."""
        found: dict[str, list[Row]] = {}
        for row in self.rows:
            found.setdefault(row["label"], []).append(row)
        return found


def at_day(steps: list[Row], day: int) -> Row | None:
    """The step that holds at a day; None beyond the oldest subscription, of which nothing is known."""
    if not steps or day > steps[-1]["day"]:
        return None
    return max((step for step in steps if step["day"] <= day), key=lambda step: int(step["day"]))


def read_curves(settings: Settings, by: str = "all", as_of: datetime | None = None) -> Curves:
    """Errors: InvalidInput for an unknown grouping, NotEnoughData where there is no subscription yet."""
    if by not in GROUPS:
        raise InvalidInput(f"There is no survival curve by {by!r}.", f"Choose one of: {', '.join(GROUPS)}.")
    with connect(settings, "reader") as connection, connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(sql("survival.curve"), {"by": by, "as_of": as_of}).fetchall()
        moment = _one(connection, "survival.as_of", {"as_of": as_of})
    if not rows or moment is None:
        raise NotEnoughData("There is no subscription yet.", "Curves follow the first one; see `retentioncast status`.")
    return Curves(moment, rows)


def read_triangle(settings: Settings) -> tuple[list[Row], str]:
    """Rows of scores.retention_triangle by cohort and month, and why they hold no forecast (empty if they do).

    Errors: NotEnoughData where there is no subscription yet.
    """
    with connect(settings, "reader") as connection, connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(sql("survival.triangle")).fetchall()
        reason = _one(connection, "survival.forecast_missing", {})
    if not rows:
        raise NotEnoughData("There is no subscription yet.", "The triangle follows the first one.")
    if any(row["kind"] == "forecast" for row in rows):
        return rows, ""
    return rows, f"No forecast: {reason or 'the scorer has not finished a run.'}"


def _one(connection: psycopg.Connection, name: str, values: dict[str, object]) -> Any:
    row = connection.execute(sql(name), values).fetchone()
    return row[0] if row else None
