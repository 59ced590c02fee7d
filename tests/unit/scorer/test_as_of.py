from __future__ import annotations

from datetime import UTC, datetime

import pytest

from retentioncast.core.errors import InvalidInput
from scorer.as_of import choose_as_of, read_as_of

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("1997-09-30", datetime(1997, 9, 30, 23, 59, 59, 999999, UTC)),
        ("1997-09-30T10:00:00Z", datetime(1997, 9, 30, 10, tzinfo=UTC)),
        ("1997-09-30T10:00:00+02:00", datetime(1997, 9, 30, 8, tzinfo=UTC)),
        ("1997-09-30 10:00", datetime(1997, 9, 30, 10, tzinfo=UTC)),
    ],
)
def test_a_day_is_through_its_end_and_a_time_is_utc_unless_it_says_otherwise(text: str, moment: datetime) -> None:
    assert read_as_of(text) == moment


@pytest.mark.parametrize("text", ["yesterday", "1997-13-01", "30.09.1997", ""])
def test_what_is_no_time_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(InvalidInput, match="1997-09-30"):
        read_as_of(text)


def test_the_streams_time_counts_unless_another_is_asked_for() -> None:
    assert choose_as_of(None, NOON) == NOON
    assert choose_as_of(read_as_of("2026-02-01"), NOON) == read_as_of("2026-02-01")
    assert choose_as_of(None, None) is None


def test_a_day_that_the_stream_has_not_come_to_is_refused_but_its_own_day_is_not() -> None:
    assert choose_as_of(read_as_of("2026-03-01"), NOON) == read_as_of("2026-03-01")
    with pytest.raises(InvalidInput, match="has come to 2026-03-01 12:00:00 UTC only, not to 2026-03-02"):
        choose_as_of(read_as_of("2026-03-02"), NOON)
