"""What a person may ask of the simulator, checked before anything is written."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from retentioncast.core.errors import InvalidInput
from simulator.pace import LOADS
from simulator.rhythm import DAY, add_months, to_datetime, to_micros

_NEXT = "See `retentioncast simulate --help`."
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


@dataclass(frozen=True, slots=True)
class Options:
    """The checked request. `start` is the shop's time at which the past ends and the live part begins."""

    customers: int
    history: str
    load: str
    rate: float | None
    speed: float | None
    seed: int
    start: datetime | None
    duration_s: float | None
    only_history: bool
    live_only: bool
    #: The population as JSON text (Specification.text); empty: the demo shop.
    population: str = ""

    def __post_init__(self) -> None:
        _within("--customers", self.customers, 1, 5_000_000)
        _within("--seed", self.seed, 0, 2**63 - 1)
        _within("--rate", self.rate, 0.01, 1_000_000)
        _within("--speed", self.speed, 0.001, 1e9)
        if self.load not in LOADS:
            raise _refused("--load", self.load, ", ".join(LOADS))
        if self.only_history and self.live_only:
            raise _refused("--only-history with --live-only", True, "one of the two")
        parse_history(self.history, datetime(2026, 1, 1, tzinfo=UTC))


def parse_history(text: str, end: datetime) -> timedelta:
    """How long the past is that ends here: `90d`, `12w`, `18mo` (calendar months) or `2y`."""
    match = re.fullmatch(r"(\d{1,4})(d|w|mo|y)", text)
    count = int(match[1]) if match else 0
    if match is None or count == 0:
        raise _refused("--history", text, "a number above 0 and d, w, mo or y, for instance 90d, 18mo, 2y")
    days = {"d": 1, "w": 7}.get(match[2])
    if days is not None:
        past = timedelta(days=days * count)
    else:
        now = to_micros(end)
        past = end - to_datetime(add_months(now, -count * (12 if match[2] == "y" else 1)))
    if past > timedelta(days=20 * 366):
        raise _refused("--history", text, "at most 20 years")
    return timedelta(days=past // timedelta(microseconds=DAY))


def parse_duration(text: str | None) -> float | None:
    """Seconds of `30s`, `10m`, `2h` or `1d`; None for no limit."""
    if text is None:
        return None
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd])", text)
    if match is None or float(match[1]) <= 0:
        raise _refused("--duration", text, "a number above 0 and s, m, h or d, for instance 30s, 10m")
    return float(match[1]) * _SECONDS[match[2]]


def parse_start(text: str | None) -> datetime | None:
    """An ISO time; without a zone it is UTC."""
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise _refused("--start", text, "a date or time like 2026-11-21 or 2026-11-21T12:00:00+00:00") from None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    if not 1970 < at.year < 2200:
        raise _refused("--start", text, "a time between the years 1971 and 2199")
    return at.astimezone(UTC)


def _within(option: str, value: float | None, low: float, high: float) -> None:
    if value is not None and not low <= value <= high:
        raise _refused(option, value, f"{low:,} to {high:,}")


def _refused(option: str, value: object, allowed: str) -> InvalidInput:
    return InvalidInput(f"{option} is {value!r}; allowed: {allowed}.", _NEXT)
