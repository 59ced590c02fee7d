"""The rule of what counts, by example and by law."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from retentioncast.core.rfm import CustomerRfm, Transaction, is_order, rfm, rfm_by_customer

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def bought(key: int, amount: str = "10.00", days: int = 0, kind: str = "purchase", customer: int = 1) -> Transaction:
    return Transaction(key, customer, kind, Decimal(amount), NOON + timedelta(days=days))


def gave_back(key: int, order: int | None, amount: str, days: int = 0, customer: int = 1) -> Transaction:
    return Transaction(key, customer, "refund", Decimal(amount), NOON + timedelta(days=days), order)


def test_purchases_and_renewals_are_orders() -> None:
    row = rfm([bought(1, "10.10", 0), bought(2, "20.20", 7, "renewal"), bought(3, "0.03", 3)])
    week = timedelta(days=7)
    assert row == CustomerRfm(NOON, NOON + week, week, 2, 3, Decimal("30.33"))


def test_a_customer_without_transactions_has_no_row() -> None:
    assert rfm([]) is None


def test_a_full_refund_takes_the_order_back() -> None:
    assert rfm([bought(1, "10.00"), gave_back(2, 1, "10.00", 5)]) is None


def test_a_partial_refund_takes_only_its_amount() -> None:
    row = rfm([bought(1, "10.00"), gave_back(2, 1, "9.99", 5)])
    assert row is not None
    assert (row.order_count, row.order_value, row.latest_purchase) == (1, Decimal("0.01"), NOON)


def test_two_partial_refunds_reach_the_amount_together() -> None:
    assert rfm([bought(1, "10.00"), gave_back(2, 1, "4.00"), gave_back(3, 1, "6.00")]) is None


def test_a_free_order_is_an_order_even_when_nothing_is_refunded() -> None:
    row = rfm([bought(1, "0.00"), gave_back(2, 1, "0.00")])
    assert row is not None
    assert (row.order_count, row.frequency, row.order_value) == (1, 0, Decimal(0))


def test_a_refund_without_an_order_lessens_the_value_only() -> None:
    row = rfm([bought(1, "10.00"), gave_back(2, None, "12.50")])
    assert row is not None
    assert (row.order_count, row.order_value) == (1, Decimal("-2.50"))


def test_a_refunded_last_order_moves_the_latest_purchase_back() -> None:
    row = rfm([bought(1, days=0), bought(2, days=4), bought(3, days=9), gave_back(4, 3, "10.00", 10)])
    assert row is not None
    assert row.recency == timedelta(days=4)


def test_a_refund_that_another_customer_holds_still_takes_the_order_back() -> None:
    rows = rfm_by_customer([bought(1, "10.00"), bought(2, "5.00"), gave_back(3, 1, "10.00", customer=2)])
    assert rows.keys() == {1}
    assert (rows[1].order_count, rows[1].order_value) == (1, Decimal("15.00"))


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"kind": "gift"}, "kind"),
        ({"amount": Decimal("-0.01")}, "amount"),
        ({"amount": Decimal("NaN")}, "amount"),
        ({"amount": Decimal("Infinity")}, "amount"),
        ({"occurred_at": datetime(2026, 1, 1)}, "occurred_at"),  # noqa: DTZ001
    ],
)
def test_an_impossible_transaction_names_its_field(change: dict[str, object], word: str) -> None:
    with pytest.raises(ValueError, match=f"^{word}"):
        replace(bought(1), **change)  # type: ignore[arg-type]


cents = st.integers(0, 10_000_000).map(lambda number: Decimal(number).scaleb(-2))
instants = st.datetimes(datetime(1997, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@st.composite
def histories(draw: st.DrawFn) -> list[Transaction]:
    """Transactions of a few customers, with refunds of own and others' orders, of whole, part and more."""
    kinds = draw(st.lists(st.sampled_from(("purchase", "purchase", "renewal", "refund")), max_size=12))
    rows: list[Transaction] = []
    for key, kind in enumerate(kinds, start=1):
        target = draw(st.none() | st.integers(1, key)) if kind == "refund" else None
        whole = [rows[target - 1].amount] if target is not None and target < key else []
        amount = draw(st.sampled_from(whole) | cents) if whole else draw(cents)
        rows.append(Transaction(key, draw(st.integers(1, 3)), kind, amount, draw(instants), target))
    return rows


@given(histories(), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(rows: list[Transaction], random: object) -> None:
    shuffled = list(rows)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert rfm_by_customer(shuffled) == rfm_by_customer(rows)


@given(histories(), cents, instants)
def test_a_refund_lessens_its_customer_by_its_amount_and_nobody_else(
    rows: list[Transaction], amount: Decimal, at: datetime
) -> None:
    orders = [row for row in rows if row.kind != "refund"]
    assume(orders)
    refund = Transaction(99, orders[0].customer_id, "refund", amount, at, orders[0].transaction_id)
    before, after = rfm_by_customer(rows), rfm_by_customer([*rows, refund])
    customer = refund.customer_id
    assert {key: row for key, row in after.items() if key != customer} == {
        key: row for key, row in before.items() if key != customer
    }
    if customer in after:
        assert 0 <= before[customer].order_count - after[customer].order_count <= 1
        assert before[customer].order_value - after[customer].order_value == amount


@given(histories())
def test_the_columns_agree_with_each_other(rows: list[Transaction]) -> None:
    for row in rfm_by_customer(rows).values():
        assert row.frequency == row.order_count - 1 >= 0
        assert row.recency == row.latest_purchase - row.first_purchase >= timedelta(0)
        assert (row.recency == timedelta(0)) or row.frequency > 0


@given(histories(), cents, instants)
def test_one_more_order_adds_itself_and_nothing_else(rows: list[Transaction], amount: Decimal, at: datetime) -> None:
    # No refund of the history refers to transaction 99.
    before, after = rfm_by_customer(rows), rfm_by_customer([*rows, Transaction(99, 1, "purchase", amount, at)])
    assert {key: row for key, row in after.items() if key != 1} == {key: row for key, row in before.items() if key != 1}
    if 1 in before:
        assert after[1].order_count == before[1].order_count + 1
        assert after[1].order_value == before[1].order_value + amount
        assert after[1].first_purchase == min(before[1].first_purchase, at)


@given(histories())
def test_orders_of_a_merged_customer_add_up(rows: list[Transaction]) -> None:
    merged = rfm_by_customer([replace(row, customer_id=1) for row in rows])
    apart = rfm_by_customer(rows).values()
    assert sum(row.order_count for row in apart) == (merged[1].order_count if 1 in merged else 0)


@given(cents, cents)
def test_an_order_ends_exactly_where_refunds_reach_its_amount(amount: Decimal, refunded: Decimal) -> None:
    assert is_order(bought(1, str(amount)), refunded) == (amount == 0 or refunded < amount)
