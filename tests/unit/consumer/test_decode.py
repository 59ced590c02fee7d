"""A broken message is told apart from a good one, with the field and the value at fault."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from consumer.decode import Decoder, Source, dead_letter, decoders, stream_key
from consumer.events import Change
from retentioncast.core.errors import InvalidMessage
from retentioncast.core.shop import TRANSACTIONS, ShopNames, Table
from tests.stream import PREFIX, FakeMessage, message, transaction_row

DECODER = decoders(ShopNames(), PREFIX)[f"{PREFIX}.shop.transactions"]


def decoded(row: dict[str, Any]) -> Change:
    change = DECODER.decode(message("transactions", "c", 1, row, 77))
    assert change is not None
    return change


def test_an_insert_becomes_a_typed_change_with_its_place_in_the_stream() -> None:
    change = decoded(transaction_row(1, 5, "12.50", day=1))
    assert (change.key, change.version) == (1, (76, 77))
    assert change.at == pytest.approx(1767312000.0)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("amount", "-1.00"), ("amount", "NaN"), ("amount", "Infinity"), ("amount", ""), ("amount", None),
        ("occurred_at", "yesterday"), ("occurred_at", "infinity"), ("occurred_at", None),
        ("kind", "gift"), ("customer_id", None), ("customer_id", 2**63), ("refers_to", "x"),
    ],
)  # fmt: skip
def test_a_value_that_cannot_be_is_named(field: str, value: object) -> None:
    with pytest.raises(InvalidMessage) as error:
        decoded(transaction_row(1, 5) | {field: value})
    assert error.value.field == field
    assert error.value.value == value


@pytest.mark.parametrize("payload", [b"{", b"\xff\xfe", b"[]", b'{"op":"c"}', b'{"op":"z","source":{"lsn":1}}'])
def test_bytes_that_are_no_change_event_are_refused(payload: bytes) -> None:
    with pytest.raises(InvalidMessage):
        DECODER.decode(FakeMessage("t", 0, 0, None, payload))


def test_an_insert_without_a_row_is_refused() -> None:
    with pytest.raises(InvalidMessage, match="without `after`"):
        DECODER.decode(message("transactions", "c", 1, None, 5))


def test_a_deletion_needs_only_its_key() -> None:
    change = DECODER.decode(message("transactions", "d", 9, None, 5))
    assert change is not None
    assert (change.key, change.row, change.at) == (9, None, None)


def test_a_deletion_without_a_readable_key_is_refused() -> None:
    broken = replace(message("transactions", "d", 9, None, 5), _key=b"?")
    with pytest.raises(InvalidMessage, match="key cannot be read"):
        DECODER.decode(broken)


def test_a_tombstone_changes_nothing() -> None:
    assert DECODER.decode(FakeMessage("t", 0, 0, b'{"transaction_id":1}', None)) is None


def test_a_dead_letter_shows_bytes_that_are_not_text() -> None:
    letter = dead_letter(FakeMessage("t", 3, 4, b"\xff", b"\x00{"), InvalidMessage("why", "amount", "-1"))
    assert (letter.partition, letter.offset, letter.key, letter.payload) == (3, 4, "\\xff", "\\x00{")
    assert (letter.reason, letter.field, letter.value) == ("why", "amount", "-1")


def test_somebody_elses_column_names_are_read_by_their_roles() -> None:
    own = ShopNames().tables[TRANSACTIONS]
    theirs = Table("payments", "payment_no", {**own.columns, "transaction_id": "payment_no", "amount": "total"})
    names = ShopNames(tables={**ShopNames().tables, TRANSACTIONS: theirs})
    row = transaction_row(1, 5, "3.00")
    row["payment_no"], row["total"] = row.pop("transaction_id"), row.pop("amount")
    change = Decoder(TRANSACTIONS, names).decode(message("transactions", "c", 1, row, 7))
    assert change is not None
    assert change.key == 1
    assert change.row is not None
    assert change.row.amount == "3.00"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("sequence", "lsn", "version"),
    [('["5","9"]', 9, (5, 9)), ('[null,"9"]', 9, (9, 9)), ('["5","9"]', None, (5, 9)), (None, 9, (9, 9))],
)
def test_a_version_is_the_commit_before_and_the_lsn(sequence: str, lsn: int, version: tuple[int, int]) -> None:
    assert stream_key(Source(lsn, sequence)) == version


def test_a_change_that_does_not_say_where_it_stands_is_refused() -> None:
    with pytest.raises(InvalidMessage, match="where in the log"):
        stream_key(Source(None, "[]"))
