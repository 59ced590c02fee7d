"""The time that scores are asked for: nothing that happened later counts."""

from __future__ import annotations

from datetime import UTC, datetime

from retentioncast.core.errors import InvalidInput
from retentioncast.core.moments import read_moment


def read_as_of(text: str) -> datetime:
    """See `read_moment`."""
    return read_moment(text, "--as-of")


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
