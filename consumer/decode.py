"""Bytes of a Debezium event to a typed change, or InvalidMessage with the reason, the field and the value."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, cast, get_type_hints

import msgspec

from consumer.events import Change, DeadLetter, Message, StreamKey
from consumer.rows import EVENT_TIME, MONEY, OTHER_TIMES, ROW_TYPES, Id, Row
from retentioncast.core import shop
from retentioncast.core.errors import InvalidMessage
from retentioncast.core.shop import ShopNames

#: A sign, NaN or an infinity does not fit.
_is_amount = re.compile(r"\d{1,30}(\.\d{1,30})?", re.ASCII).fullmatch
_UNAVAILABLE = shop.UNAVAILABLE.encode()
#: Reads numbers that are written as text: a third of the time that cutting the text up takes.
_sequence = msgspec.json.Decoder(tuple[int | None, int], strict=False).decode
_WITH_ROW = frozenset("cur")
_from_iso = datetime.fromisoformat
_PATH = re.compile(r" - at `\$(?:\.(?:after|source|before))?\.?(.*)`$")


class Source(msgspec.Struct, gc=False):
    """Where in the write-ahead log the change stands."""

    lsn: Id | None = None
    sequence: str | None = None


class Event(msgspec.Struct, gc=False):
    """What all events have: the operation, the source, and the row as it is afterwards."""

    op: str
    source: Source
    after: Any = None


class RowKey(msgspec.Struct, gc=False):
    """The primary key, as the message's key tells it."""

    id: Id


class Decoder:
    """Reads the events of one table.

    Args:
        role: which of the shop's tables this is.
        names: how this shop calls its columns.
    """

    def __init__(self, role: str, names: ShopNames) -> None:
        table = names.tables[role]
        self.role = role
        row = _renamed(ROW_TYPES[role], table.columns)
        key = msgspec.defstruct("Key", [("id", Id)], bases=(RowKey,), rename={"id": table.key}, gc=False)
        event = msgspec.defstruct("RowEvent", [("after", row | None, None)], bases=(Event,), gc=False)
        self._events: msgspec.json.Decoder[Event] = msgspec.json.Decoder(event)
        self._keys: msgspec.json.Decoder[RowKey] = msgspec.json.Decoder(key)
        self._key_field = ROW_TYPES[role].__struct_fields__[0]
        self._money_field = MONEY.get(role)
        self._time_field = EVENT_TIME[role]
        self._other_times = OTHER_TIMES.get(role, ())

    def decode(self, message: Message) -> Change | None:
        """The change, or None for a message that changes nothing (a tombstone, a logical message)."""
        value = message.value()
        if value is None:
            return None
        try:
            event = self._events.decode(value)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise _invalid(error, value) from error
        if event.op in _WITH_ROW:
            return self._upserted(event, message, value)
        if event.op == "d":
            return self._deleted(event, message)
        if event.op == "t":
            return Change(self.role, "t", None, None, stream_key(event.source), None, message)
        if event.op == "m":
            return None
        raise InvalidMessage(f"unknown operation {event.op!r}", "op", event.op)

    def _upserted(self, event: Event, message: Message, value: bytes) -> Change:
        row, source = event.after, event.source
        if row is None:
            raise InvalidMessage("an insert or update without `after`", "after", None)
        at = event_time(getattr(row, self._time_field), self._time_field)
        if (money := self._money_field) is not None and not _is_amount(getattr(row, money)):
            raise InvalidMessage(f"{money} is not a number of at least 0", money, getattr(row, money))
        for field in self._other_times:
            if (other := getattr(row, field)) is not None:
                event_time(other, field)
        return Change(
            self.role, event.op, getattr(row, self._key_field), row, stream_key(source), at, message,
            event.op == "u" and _UNAVAILABLE in value,
        )  # fmt: skip

    def _deleted(self, event: Event, message: Message) -> Change:
        try:
            key = self._keys.decode(message.key() or b"")
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise InvalidMessage(f"a deletion whose key cannot be read: {error}", "key", message.key()) from error
        return Change(self.role, "d", key.id, None, stream_key(event.source), None, message)


def decoders(names: ShopNames, prefix: str) -> Mapping[str, Decoder]:
    """One decoder a topic."""
    return {names.topic(prefix, role): Decoder(role, names) for role in shop.ROLES}


def stream_key(source: Source) -> StreamKey:
    """Where a change stands: `sequence` is '["<LSN of the commit before>","<LSN>"]'.

    Before its first commit Debezium says null: the change's own LSN stands for it, never 0, which would make a change
    older than all that is there.
    """
    sequence = source.sequence or ""
    try:
        commit, own = _sequence(sequence)
    except msgspec.DecodeError:
        if source.lsn is not None:
            return (source.lsn, source.lsn)
        raise InvalidMessage(
            "a change that does not say where in the log it stands", "source.sequence", source.sequence
        ) from None
    return (own if commit is None else commit, own)


def event_time(text: str, field: str) -> float:
    """Epoch seconds of an ISO 8601 time; a time without a zone is UTC, as Debezium sends it."""
    try:
        moment = _from_iso(text)
    except ValueError:
        raise InvalidMessage(f"{field} is not a time", field, text) from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def dead_letter(message: Message, error: InvalidMessage) -> DeadLetter:
    """The message as it will stand in analytics.dead_letters; bytes that are not text are shown escaped."""
    value = None if error.value is None else _readable(error.value)[:1000]
    return DeadLetter(
        message.topic(), message.partition(), message.offset(), error.reason, error.field or None, value,
        _readable(message.key()), _readable(message.value()),
    )  # fmt: skip


def _readable(value: object) -> str:
    text = value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else str(value)
    return text.replace("\0", "\\x00")


def _renamed(row_type: type[Row], columns: Mapping[str, str]) -> type[Row]:
    """The row type, reading this shop's column names."""
    if all(role == column for role, column in columns.items()):
        return row_type
    fields = list(get_type_hints(row_type, include_extras=True).items())
    made = msgspec.defstruct(row_type.__name__, fields, bases=(row_type,), rename=dict(columns), gc=False)
    return cast("type[Row]", made)


def _invalid(error: Exception, value: bytes) -> InvalidMessage:
    reason = str(error)
    found = _PATH.search(reason)
    field = found.group(1) if found else ""
    return InvalidMessage(reason, field, _value_of(value, field) if field else None)


def _value_of(value: bytes, field: str) -> object:
    try:
        after = msgspec.json.decode(value)["after"]
        return after[field]
    except (msgspec.DecodeError, KeyError, TypeError):
        return None
