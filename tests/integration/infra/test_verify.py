"""Verification finds each kind of loss, names it, and does not take lag for loss."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal

import psycopg
import pytest

from retentioncast.core.clock import ManualClock
from retentioncast.core.errors import Retry
from retentioncast.core.rfm import Transaction, rfm_by_customer
from retentioncast.core.shop import ROLES, ShopNames
from retentioncast.infra.postgres import connect
from retentioncast.infra.settings import Settings
from retentioncast.infra.verify import Difference, compare, verify

pytestmark = pytest.mark.integration

SHOP = """
insert into shop.customers values
    (1, 'Ann', 'a', 'US', 'web', '2026-01-01Z'),
    (2, 'Bob', 'b', 'US', 'web', '2026-01-01Z'),
    (3, 'Cy', 'c', 'US', 'web', '2026-01-01Z');
insert into shop.subscriptions values (1, 1, 'pro', 'monthly', 9.90, 'USD', '2026-01-02Z', null, null);
insert into shop.sessions values (1, 2, '2026-01-05Z', 3, 'web');
insert into shop.transactions values
    (1, 1, null, 'purchase', 10.00, 'USD', '2026-01-02T00:00:00.000001Z', null, null),
    (2, 1, 1, 'renewal', 9.90, 'USD', '2026-02-02Z', null, 'spring'),
    (3, 1, null, 'refund', 2.00, 'USD', '2026-02-03Z', 1, null),
    (4, 2, null, 'purchase', 0.00, 'USD', '2026-01-03Z', null, null),
    (5, 2, null, 'purchase', 5.00, 'USD', '2026-01-04Z', null, null),
    (6, 2, null, 'refund', 5.00, 'USD', '2026-01-04Z', 5, null),
    (7, 3, null, 'purchase', 7.00, 'USD', '2026-01-04Z', null, null),
    (8, 3, null, 'refund', 7.00, 'USD', '2026-01-04Z', 7, null);
"""
#: What a right consumer leaves behind, beside the mirrors.
ANALYTICS = """
update analytics.transactions t set refunded =
    coalesce((select sum(amount) from shop.transactions r where r.refers_to = t.transaction_id), 0);
insert into analytics.transactions (transaction_id, commit_lsn, lsn, deleted) values (99, 1, 1, true);
insert into analytics.customer_totals values
    (1, '2026-01-02T00:00:00.000001Z', '2026-02-02Z', 2, 17.90),
    (2, '2026-01-03Z', '2026-01-03Z', 1, 0),
    (3, null, null, 0, 0);
"""


def mirrored(role: str, key: str = "") -> str:
    """The statement that mirrors a table of the shop; with `key`, under another key."""
    columns = list(ShopNames().tables[role].columns)
    values = [key or columns[0], *columns[1:]]
    return (
        f"insert into analytics.{role} ({', '.join(columns)}, commit_lsn, lsn, deleted) "
        f"select {', '.join(values)}, 1, 1, false from shop.{role};"
    )


@dataclass
class FakeFence:
    """Passed after so many questions; tells what happens meanwhile."""

    questions: int = 1
    meanwhile: Callable[[], None] = lambda: None
    asked: int = field(default=0, init=False)

    def set(self) -> None:
        self.asked = 0

    def passed(self) -> bool:
        self.asked += 1
        if self.asked >= self.questions:
            self.meanwhile()
        return self.asked >= self.questions

    def behind(self) -> str:
        return "the consumer has 12 changes to apply"


@pytest.fixture
def filled(database: Settings) -> Settings:
    run(database, SHOP, *map(mirrored, ROLES), ANALYTICS)
    return database


def run(settings: Settings, *statements: str) -> None:
    with connect(settings, "owner", cursor_factory=psycopg.ClientCursor) as connection:
        for statement in statements:
            connection.execute(statement)


def check(settings: Settings, fence: FakeFence | None = None, wait_s: float = 10) -> list[Difference]:
    clock = ManualClock(datetime(2026, 1, 1, tzinfo=UTC))
    return verify(settings, wait_s, fence=fence or FakeFence(), clock=clock)


def test_a_right_analytics_has_no_difference(filled: Settings) -> None:
    assert check(filled) == []


def test_an_empty_shop_has_no_difference(database: Settings) -> None:
    assert check(database) == []


def test_the_recomputation_follows_the_rule_of_the_core(filled: Settings) -> None:
    run(filled, "delete from analytics.customer_totals")
    with connect(filled, "reader") as connection:
        rows = connection.execute(
            "select transaction_id, customer_id, kind, amount, occurred_at, refers_to from shop.transactions"
        ).fetchall()
    expected = rfm_by_customer(Transaction(*row) for row in rows)
    found = check(filled)
    assert {each.key for each in found} == expected.keys() == {1, 2}
    for each in found:
        assert each.expected is not None
        *_, frequency, orders, value = each.expected.strip("()").split(", ")
        row = expected[each.key]
        assert (int(frequency), int(orders), Decimal(value)) == (row.frequency, row.order_count, row.order_value)


@pytest.mark.parametrize(
    ("damage", "expected"),
    [
        (
            "update analytics.customer_totals set order_value = 17.91 where customer_id = 1",
            ("analytics.customer_rfm", 1, 1, "order_value", "17.90", "17.91"),
        ),
        (
            """update analytics.customer_totals set first_purchase = '2026-01-02T23:59:59.999999Z'
               where customer_id = 2""",
            (
                "analytics.customer_rfm",
                2,
                2,
                "first_purchase",
                "2026-01-03 00:00:00+00",
                "2026-01-02 23:59:59.999999+00",
            ),
        ),
        (
            """update analytics.customer_totals set order_count = 1, first_purchase = now(), latest_purchase = now()
               where customer_id = 3""",
            ("analytics.customer_rfm", 3, 3, "(row)", None, ...),
        ),
        (
            "delete from analytics.customer_totals where customer_id = 1",
            ("analytics.customer_rfm", 1, 1, "(row)", ..., None),
        ),
        (
            "update analytics.transactions set promotion = null where transaction_id = 2",
            ("analytics.transactions", 2, 1, "promotion", "spring", None),
        ),
        (
            "update analytics.transactions set refunded = 0 where transaction_id = 5",
            ("analytics.transactions", 5, None, "(row)", ..., None),
        ),
        ("delete from analytics.sessions", ("analytics.sessions", 1, 2, "(row)", ..., None)),
        (
            mirrored("subscriptions", "9"),
            ("analytics.subscriptions", 9, 1, "(row)", None, ...),
        ),
        (
            "update analytics.customers set name = 'Anna' where customer_id = 1",
            ("analytics.customers", 1, 1, "name", "Ann", "Anna"),
        ),
    ],
)
def test_each_damage_is_found_and_named(filled: Settings, damage: str, expected: tuple[object, ...]) -> None:
    run(filled, damage)
    first = check(filled)[0]
    found = (first.table, first.key, first.customer_id, first.column, first.expected, first.found)
    assert [have for have, want in zip(found, expected, strict=True) if want is not ...] == [
        want for want in expected if want is not ...
    ]


def test_lag_is_no_difference(filled: Settings) -> None:
    late = "update analytics.customers set name = 'Ann' where customer_id = 1"
    run(filled, "update analytics.customers set name = 'Old' where customer_id = 1")
    assert check(filled, FakeFence(3, lambda: run(filled, late))) == []


def test_a_row_that_changes_while_it_is_judged_is_judged_again(filled: Settings) -> None:
    names = iter(["Bea", "Bee", "Bibi"])

    def rename() -> None:
        if (name := next(names, None)) is not None:
            run(filled, f"update shop.customers set name = '{name}' where customer_id = 2")

    run(filled, "delete from analytics.customers where customer_id = 2")
    (found,) = check(filled, FakeFence(1, rename))
    assert (found.key, found.column, found.found) == (2, "(row)", None)
    assert found.expected is not None
    assert "Bibi" in found.expected


def test_a_change_after_the_first_look_is_not_held_against_the_stream(filled: Settings) -> None:
    def go_on() -> None:
        run(filled, "update shop.customers set name = name || '!' where customer_id = 3")

    run(filled, "update analytics.customers set name = 'Old' where customer_id = 1")
    assert [each.key for each in check(filled, FakeFence(1, go_on))] == [1]


def test_a_stream_that_does_not_catch_up_is_said(filled: Settings) -> None:
    run(filled, "delete from analytics.sessions")
    with pytest.raises(Retry, match="has not caught up within 2 s: the consumer has 12 changes to apply"):
        check(filled, FakeFence(10_000), wait_s=2)


def test_what_equals_the_shop_is_right_before_the_stream_has_told_that_it_caught_up(filled: Settings) -> None:
    class Silent(FakeFence):
        def passed(self) -> bool:
            self.asked += 1
            if self.asked == 3:
                run(filled, mirrored("sessions"))
            return False

    run(filled, "delete from analytics.sessions")
    fence = Silent()
    assert check(filled, fence) == []
    assert 3 <= fence.asked < 10


def test_the_reader_may_compare(filled: Settings) -> None:
    run(filled, "delete from analytics.sessions")
    assert {each.table for each in compare(filled)} == {"analytics.sessions"}
