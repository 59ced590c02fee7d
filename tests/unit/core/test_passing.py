"""Changes on their way past: filler is never told as a before, and what was seen earlier is."""

from __future__ import annotations

import json
from typing import Any

import pytest

from retentioncast.core.errors import InvalidMessage
from retentioncast.core.passing import PassingChange, RowMemory, read_passing
from retentioncast.core.shop import ShopNames

ROW = {
    "transaction_id": 1000, "customer_id": 1, "subscription_id": 10, "kind": "purchase", "amount": "19.90",
    "currency": "USD", "occurred_at": "2024-01-03T10:00:00.500000Z", "refers_to": None, "promotion": None,
}  # fmt: skip
FILLER = {**ROW, "subscription_id": None, "kind": "", "amount": "0.00", "occurred_at": "1970-01-01T00:00:00Z"}


def read(
    memory: RowMemory, op: str, before: Any = None, after: Any = None, lsn: int = 10, role: str = "transactions"
) -> PassingChange:
    event = {
        "before": before,
        "after": after,
        "op": op,
        "source": {"ts_ms": 1795265881046, "lsn": lsn, "sequence": f'["{lsn}","{lsn}"]'},
    }
    return read_passing(json.dumps(event).encode(), role, ShopNames().tables[role], memory)


def test_an_insert_tells_who_and_what() -> None:
    change = read(RowMemory(), "c", after=ROW)
    assert (change.word, change.table, change.key, change.customer_id) == ("insert", "transactions", 1000, 1)
    assert (change.before, change.after, change.changed) == (None, ROW, ())


def test_an_update_of_a_row_seen_before_tells_what_changed() -> None:
    memory = RowMemory()
    read(memory, "c", after=ROW, lsn=10)
    change = read(memory, "u", after={**ROW, "amount": "21.50"}, lsn=11)
    assert change.changed == ("amount",)
    assert (change.before or {})["amount"] == "19.90"


def test_an_update_of_an_unseen_row_has_no_before() -> None:
    change = read(RowMemory(), "u", after=ROW)
    assert (change.before, change.changed) == (None, ())


def test_the_filler_of_a_deletion_is_not_told() -> None:
    change = read(RowMemory(), "d", before=FILLER)
    assert (change.key, change.customer_id, change.before, change.after) == (1000, 1, None, None)


def test_a_deletion_of_a_row_seen_before_tells_what_it_was() -> None:
    memory = RowMemory()
    read(memory, "c", after=ROW, lsn=10)
    assert read(memory, "d", before=FILLER, lsn=11).before == ROW


def test_a_deletion_without_identity_finds_its_customer_in_the_memory() -> None:
    memory = RowMemory()
    read(memory, "c", after=ROW, lsn=10)
    assert read(memory, "d", before={**FILLER, "customer_id": 0}, lsn=11).customer_id == 1
    assert read(RowMemory(), "d", before={**FILLER, "customer_id": 0}, lsn=11).customer_id is None


def test_a_merge_of_an_unseen_row_tells_the_old_customer_only() -> None:
    change = read(RowMemory(), "u", before=FILLER, after={**ROW, "customer_id": 2})
    assert change.changed == ("customer_id",)
    assert ((change.before or {})["customer_id"], change.customer_id) == (1, 2)


def test_a_newer_state_in_the_memory_is_no_before() -> None:
    memory = RowMemory()
    memory.learn("transactions", 1000, (12, 12), {**ROW, "amount": "99.00"})
    assert read(memory, "u", after=ROW, lsn=11).before is None
    assert (read(memory, "u", after=ROW, lsn=13).before or {})["amount"] == "99.00"


def test_a_late_snapshot_with_a_smaller_own_lsn_is_ordered_by_the_commit_before() -> None:
    memory = RowMemory()
    memory.learn("transactions", 1000, (30410296, 30420792), ROW)
    event = {"before": None, "after": {**ROW, "amount": "1.00"}, "op": "u"}
    source = {"ts_ms": 0, "sequence": '["30423296","30409144"]'}
    change = read_passing(
        json.dumps({**event, "source": source}).encode(), "transactions", ShopNames().tables["transactions"], memory
    )
    assert change.changed == ("amount",)


def test_the_first_change_after_a_new_slot_is_read() -> None:
    event = {"before": None, "after": ROW, "op": "u", "source": {"ts_ms": 0, "sequence": '[null,"30557720"]'}}
    memory = RowMemory()
    memory.learn("transactions", 1000, (30557000, 30557000), ROW)
    table = ShopNames().tables["transactions"]
    assert read_passing(json.dumps(event).encode(), "transactions", table, memory).before == ROW


def test_a_value_that_debezium_does_not_send_keeps_what_was_seen() -> None:
    memory = RowMemory()
    customer = {"customer_id": 5, "name": "Ann", "email": "a@x", "country": "DE", "channel": "ads", "created_at": "x"}
    read(memory, "c", after=customer, lsn=10, role="customers")
    unsent = {**customer, "name": "__debezium_unavailable_value", "email": "b@x"}
    change = read(memory, "u", after=unsent, lsn=11, role="customers")
    assert change.changed == ("email",)
    assert change.customer_id == 5


def test_a_truncate_is_of_nobody() -> None:
    change = read(RowMemory(), "t", role="sessions")
    assert (change.word, change.key, change.customer_id) == ("truncate", None, None)


def test_the_memory_forgets_the_oldest() -> None:
    memory = RowMemory(size=2)
    for key in (1, 2, 3):
        memory.learn("transactions", key, (1, 1), ROW)
    assert [memory.recall("transactions", key, (2, 2)) is not None for key in (1, 2, 3)] == [False, True, True]


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b'{"op":"x"}',
        b'{"op":"c","source":{"ts_ms":0,"sequence":"[]"},"after":{},"before":null}',
    ],
)
def test_what_is_no_change_is_said(value: bytes) -> None:
    with pytest.raises(InvalidMessage, match="not a change"):
        read_passing(value, "transactions", ShopNames().tables["transactions"], RowMemory())
