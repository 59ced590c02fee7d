"""Times as people write them."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time

from retentioncast.core.errors import InvalidInput

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


def read_moment(text: str, option: str) -> datetime:
    """`1997-09-30` is through the end of that day in UTC; a time without a zone is in UTC.

    InvalidInput, for anything else, names the option.
    """
    try:
        if _DATE.fullmatch(text):
            return datetime.combine(date.fromisoformat(text), time.max, UTC)
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidInput(
            f"{option} {text!r} is not a time.", "Give a day (1997-09-30) or a time (1997-09-30T12:00:00Z)."
        ) from error
    return moment.replace(tzinfo=UTC) if moment.utcoffset() is None else moment.astimezone(UTC)
