"""The time that scores are asked for: nothing that happened later counts."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time

from retentioncast.core.errors import InvalidInput

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


def read_as_of(text: str) -> datetime:
    """`1997-09-30` is through the end of that day in UTC; a time without a zone is in UTC."""
    try:
        if _DATE.fullmatch(text):
            return datetime.combine(date.fromisoformat(text), time.max, UTC)
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidInput(
            f"--as-of {text!r} is not a time.", "Give a day (1997-09-30) or a time (1997-09-30T12:00:00Z)."
        ) from error
    return moment.replace(tzinfo=UTC) if moment.utcoffset() is None else moment.astimezone(UTC)


def choose_as_of(asked: datetime | None, stream_time: datetime | None) -> datetime | None:
    """The time asked for, else the stream's own; None when there is neither.

    Raises:
        InvalidInput: the stream has not come to that day: what happens until then is not known yet.
    """
    if asked is None or stream_time is None:
        return asked or stream_time
    if asked.date() > stream_time.astimezone(UTC).date():
        come = stream_time.astimezone(UTC)
        raise InvalidInput(
            f"The stream has come to {come:%Y-%m-%d %H:%M:%S} UTC only, not to {asked:%Y-%m-%d}.",
            "Ask for a time up to then, or wait until the consumer has caught up (`retentioncast status`).",
        )
    return asked
