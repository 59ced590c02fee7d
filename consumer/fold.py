"""Gathers changes into a batch: of each row the newest version, whatever the order in which they came."""

from __future__ import annotations

import msgspec

from consumer.events import Batch, Change, Place, Span
from retentioncast.core.shop import UNAVAILABLE


def open_span(batch: Batch, place: Place, first: int) -> Span:
    """The batch's span of this topic-partition; `first` is where that stood before the batch."""
    span = batch.spans.get(place)
    if span is None:
        span = batch.spans[place] = Span(first, first)
    return span


def add_change(batch: Batch, change: Change, span: Span, keep_stream: bool) -> None:
    """Put a change into the batch; the highest version of a row wins, a TRUNCATE moves the table's floor."""
    at, key, role = change.at, change.key, change.role
    if at is not None and (span.stream_time is None or at > span.stream_time):
        span.stream_time = at
    if key is None:
        batch.truncations[role] = max(change.version, batch.truncations.get(role, (0, 0)))
        return
    if (versions := batch.rows.get(role)) is None:
        versions = batch.rows[role] = {}
    present = versions.get(key)
    versions[key] = change if present is None else newest(present, change)
    if keep_stream:
        batch.stream.setdefault(change.message.partition(), []).append(change)


def newest(present: Change, arrived: Change) -> Change:
    """Of two versions of a row the later one, completed by the other where it came incomplete."""
    newer, older = (arrived, present) if arrived.version > present.version else (present, arrived)
    if newer.incomplete and newer.row is not None and older.row is not None:
        _complete(newer, older)
    return newer


def _complete(newer: Change, older: Change) -> None:
    fields = newer.row.__struct_fields__ if newer.row is not None else ()
    missing = [field for field in fields if getattr(newer.row, field) == UNAVAILABLE]
    values = {field: getattr(older.row, field) for field in missing}
    newer.row = msgspec.structs.replace(newer.row, **values)  # type: ignore[type-var]
    newer.incomplete = UNAVAILABLE in values.values()
