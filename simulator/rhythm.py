"""The shop's rhythm: quiet nights, busy weekends and a campaign now and then, as an intensity over event time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt

Micros = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

#: Event time inside the simulator is whole microseconds since 1970, as Postgres keeps it.
SECOND = 1_000_000
HOUR = 3600 * SECOND
DAY = 24 * HOUR
WEEK = 7 * DAY
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: 1970-01-05 was a Monday.
_MONDAY = 4 * DAY

_HOURS = np.array([3, 2, 1, 1, 1, 2, 4, 7, 10, 12, 13, 13, 14, 13, 12, 12, 13, 15, 18, 20, 19, 15, 10, 6], float)
_DAYS = np.array([0.85, 0.85, 0.9, 0.95, 1.1, 1.25, 1.1])
_WEIGHTS = np.outer(_DAYS / _DAYS.mean(), _HOURS / _HOURS.mean()).ravel()
_GRID = np.arange(169) * float(HOUR)
#: Microseconds of shop activity passed since Monday at each full hour; a week has as many as the clock's.
_PASSED = np.concatenate([[0.0], np.cumsum(_WEIGHTS)]) * HOUR

_CAMPAIGN_CYCLE, _CAMPAIGN_DAYS, CAMPAIGN_LIFT = 35, 4, 1.5
_CAMPAIGNS = ("WELCOME15", "WEEKEND15", "SEASON15", "THANKS15")
CAMPAIGN_SHARE = _CAMPAIGN_DAYS / _CAMPAIGN_CYCLE


def to_micros(at: datetime) -> int:
    """Whole microseconds since 1970 of an aware datetime."""
    return (at - _EPOCH) // timedelta(microseconds=1)


def to_datetime(micros: int) -> datetime:
    """The aware UTC datetime of whole microseconds since 1970."""
    return _EPOCH + timedelta(microseconds=micros)


def stamp(micros: int) -> str:
    """The time as Postgres reads it, with its zone."""
    return to_datetime(micros).isoformat()


def activity(at: Micros) -> Floats:
    """Shop activity since 1970 until these times, in microseconds: it runs fast on a Saturday evening."""
    weeks, rest = np.divmod(np.asarray(at) - _MONDAY, WEEK)
    passed: Floats = weeks * float(WEEK) + np.interp(rest.astype(float), _GRID, _PASSED)
    return passed


def when(passed: Floats) -> Micros:
    """The times at which so much activity has passed: the inverse of `activity`."""
    weeks, rest = np.divmod(passed, float(WEEK))
    at: Micros = (weeks * WEEK + np.interp(rest, _PASSED, _GRID)).astype(np.int64) + _MONDAY
    return at


def campaign(at: int) -> str | None:
    """The promotion that runs on this day, if one does."""
    cycle, day = divmod(at // DAY, _CAMPAIGN_CYCLE)
    return _CAMPAIGNS[cycle % len(_CAMPAIGNS)] if day < _CAMPAIGN_DAYS else None


def add_months(anchor: int, months: int) -> int:
    """So many calendar months after the anchor; the 31st becomes the month's last day."""
    start = to_datetime(anchor)
    index = start.year * 12 + start.month - 1 + months
    last = (_first_of(index + 1) - timedelta(days=1)).day
    year, month = divmod(index, 12)
    return to_micros(start.replace(year=year, month=month + 1, day=min(start.day, last)))


def months_between(anchor: int, at: int) -> int:
    """Calendar months from the anchor's month to the month of `at`."""
    first, second = to_datetime(anchor), to_datetime(at)
    return (second.year - first.year) * 12 + second.month - first.month


def _first_of(index: int) -> datetime:
    year, month = divmod(index, 12)
    return datetime(year, month + 1, 1, tzinfo=UTC)
