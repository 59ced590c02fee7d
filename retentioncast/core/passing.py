"""Changes as people want to see them pass: who, what, before -> after; with a memory for what `before` was.

Debezium's own `before` holds the replica identity only; the rest of it is filler that looks like values. So the
before of a row is what was seen of it earlier, and where nothing was seen, it is unknown and said to be.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from retentioncast.core.errors import InvalidMessage
from retentioncast.core.shop import CUSTOMERS, UNAVAILABLE, Table

Row = Mapping[str, Any]
#: (LSN of the commit before, own LSN): orders the versions of one row.
Version = tuple[int, int]

WORDS = {"c": "insert", "u": "update", "d": "delete", "r": "snapshot", "t": "truncate"}


@dataclass(frozen=True, slots=True)
class PassingChange:
    """One change. `before` is None where the earlier state is unknown; `after` where there is no row any more."""

    at: datetime
    table: str
    word: str
    key: int | None
    customer_id: int | None
    before: Row | None
    after: Row | None

    @property
    def changed(self) -> tuple[str, ...]:
        """The columns whose values differ; empty when one side is unknown or not there."""
        if self.before is None or self.after is None:
            return ()
        return tuple(name for name, value in self.after.items() if self.before.get(name) != value)

    def as_json(self) -> dict[str, Any]:
        """Plain values for `--json`."""
        return {
            "at": self.at.isoformat(), "table": self.table, "what": self.word, "key": self.key,
            "customer_id": self.customer_id, "before": self.before, "after": self.after, "changed": self.changed,
        }  # fmt: skip


@dataclass(slots=True)
class RowMemory:
    """The last known state of the rows seen lately; the oldest are forgotten."""

    size: int = 200_000
    _rows: OrderedDict[tuple[str, int], tuple[Version, Row]] = field(default_factory=OrderedDict)

    def recall(self, table: str, key: int, version: Version) -> Row | None:
        """The row as it was before this version, if it is known."""
        known = self._rows.get((table, key))
        return known[1] if known and known[0] < version else None

    def learn(self, table: str, key: int, version: Version, row: Row) -> None:
        """Keep this state of the row unless a newer one is known."""
        known = self._rows.get((table, key))
        if known is None or known[0] < version:
            self._rows[table, key] = version, row
            self._rows.move_to_end((table, key))
        if len(self._rows) > self.size:
            self._rows.popitem(last=False)


def read_passing(value: bytes, role: str, table: Table, memory: RowMemory) -> PassingChange:
    """The change in this message, completed from the memory, which learns it. InvalidMessage when it is none."""
    try:
        event = json.loads(value)
        word = WORDS[event["op"]]
        at = datetime.fromtimestamp(event["source"]["ts_ms"] / 1000, UTC)
        if word == "truncate":
            return PassingChange(at, role, word, None, None, None, None)
        version = _version(event["source"]["sequence"])
        after, identity = (_by_role(table, event[side]) for side in ("after", "before"))
        key = int(((after or identity) or {})[table.key])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InvalidMessage(f"not a change as Debezium writes it: {error!r}") from error
    before = memory.recall(role, key, version)
    before, after = _with_identity(before, identity, after), _without_placeholders(after, before)
    if after is not None:
        memory.learn(role, key, version, after)
    customer = (after or {}).get("customer_id") or (before or {}).get("customer_id")
    customer = customer or (identity or {}).get("customer_id") or None
    return PassingChange(at, role, word, key, key if role == CUSTOMERS else customer, before, after)


def _version(sequence: str) -> Version:
    commit_lsn, lsn = json.loads(sequence)
    return int(commit_lsn or lsn), int(lsn)


def _by_role(table: Table, row: Mapping[str, Any] | None) -> Row | None:
    if row is None:
        return None
    return {role: row[column] for role, column in table.columns.items() if column in row}


def _with_identity(before: Row | None, identity: Row | None, after: Row | None) -> Row | None:
    """An unseen row's `before` still names the customer that it belonged to, if it was another one."""
    old = (identity or {}).get("customer_id")
    if before is None and after is not None and old and old != after.get("customer_id"):
        return {**after, "customer_id": old}
    return before


def _without_placeholders(after: Row | None, before: Row | None) -> Row | None:
    if after is None:
        return None
    earlier = before or {}
    return {name: earlier.get(name) if value == UNAVAILABLE else value for name, value in after.items()}
