"""Imports into a real shop: exact, in event-time order, once, and all or nothing."""

from __future__ import annotations

import csv
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from retentioncast.core.clock import ManualClock
from retentioncast.core.errors import InvalidInput
from retentioncast.imports.cdnow import CUSTOMERS, PURCHASES, find_cdnow
from retentioncast.imports.rows import BadRow, RawRow, RowRules
from retentioncast.imports.run import ImportOptions, run_import
from retentioncast.imports.store import open_store
from retentioncast.infra.postgres import connect
from retentioncast.infra.settings import Settings

pytestmark = pytest.mark.integration

START = datetime(1997, 1, 1, tzinfo=UTC)
RULES = RowRules(latest=datetime(2026, 1, 1, tzinfo=UTC))


@dataclass(frozen=True)
class Rows:
    """A source that holds its rows."""

    given: tuple[RawRow | BadRow, ...]
    name: str = "rows"
    fails: bool = False

    def mark(self) -> str:
        return "abc123"

    def count(self) -> int | None:
        return len(self.given)

    def rows(self) -> Iterator[RawRow | BadRow]:
        yield from self.given
        if self.fails:
            raise InvalidInput("The file ends in the middle.")


def raw(*fields: tuple[str, str, str]) -> Rows:
    return Rows(tuple(RawRow(number, *each) for number, each in enumerate(fields, start=1)))


@pytest.fixture
def options(tmp_path: Path) -> ImportOptions:
    return ImportOptions(RULES, tmp_path / "imports" / "bad.csv")


def shop(settings: Settings, query: str) -> list[tuple[Any, ...]]:
    with connect(settings, "owner") as connection:
        return connection.execute(query).fetchall()


def sizes(settings: Settings) -> tuple[Any, ...]:
    (row,) = shop(settings, "select (select count(*) from shop.customers), (select count(*) from shop.transactions)")
    return row


def test_cdnow_arrives_whole_and_exact(database: Settings, options: ImportOptions) -> None:
    report = run_import(database, find_cdnow(), options)
    assert (report.purchases, report.customers, report.bad_rows, report.ids_kept) == (PURCHASES, CUSTOMERS, 0, True)
    expected = sorted(
        (int(row.customer), datetime.strptime(row.time, "%Y%m%d").replace(tzinfo=UTC), Decimal(row.amount))
        for row in find_cdnow().rows()
        if isinstance(row, RawRow)
    )
    found = shop(database, "select customer_id, occurred_at, amount from shop.transactions where kind = 'purchase'")
    assert sorted(found) == expected


def test_transactions_are_numbered_in_event_time_order(database: Settings, options: ImportOptions) -> None:
    run_import(database, find_cdnow(), options)
    late = shop(
        database,
        """select count(*) from (select occurred_at < lag(occurred_at) over (order by transaction_id) as back
           from shop.transactions) as steps where back""",
    )
    assert late == [(0,)]


def test_a_customer_begins_with_the_first_purchase(database: Settings, options: ImportOptions) -> None:
    run_import(database, raw(("5", "1997-03-01", "1"), ("5", "1997-01-01", "2")), options)
    (row,) = shop(database, "select name, email, country, channel, created_at from shop.customers")
    assert row == ("Customer 5", "customer-5@abc123.import.invalid", "ZZ", "import", START)


def test_several_purchases_of_one_day_stay_several_rows(database: Settings, options: ImportOptions) -> None:
    run_import(database, raw(*[("5", "1997-03-01", "1")] * 3), options)
    assert sizes(database) == (1, 3)


def test_the_shop_goes_on_numbering_after_the_import(database: Settings, options: ImportOptions) -> None:
    run_import(database, raw(("41", "1997-01-01", "1")), options)
    with connect(database, "simulator") as connection:
        row = connection.execute(
            """insert into shop.customers (name, email, country, channel, created_at)
               values ('a', 'a', 'US', 'a', now()) returning customer_id"""
        ).fetchone()
    assert row == (42,)


@pytest.mark.parametrize("ids", [("1", "9"), ("9", "anna"), ("9", "007"), ("9", "0"), ("9", "9" * 30)])
def test_ids_that_are_not_all_free_numbers_are_mapped(
    database: Settings, options: ImportOptions, ids: tuple[str, str]
) -> None:
    shop_customer = "insert into shop.customers values (default, 'a', 'a', 'US', 'a', now()) returning customer_id"
    with connect(database, "simulator") as connection:
        connection.execute(shop_customer)
    report = run_import(database, raw((ids[1], "1997-01-02", "1"), (ids[0], "1997-01-01", "2")), options)
    assert not report.ids_kept
    found = shop(database, "select customer_id, name from shop.customers order by 1")
    assert found == [(1, "a"), (2, f"Customer {ids[0]}"), (3, f"Customer {ids[1]}")]


def test_a_second_import_is_refused_and_changes_nothing(database: Settings, options: ImportOptions) -> None:
    run_import(database, raw(("5", "1997-03-01", "1")), options)
    with pytest.raises(InvalidInput, match="already has this import: 1 purchases of 1 customers"):
        run_import(database, raw(("5", "1997-03-01", "1")), options)
    assert sizes(database) == (1, 1)


def test_an_import_that_runs_elsewhere_is_not_started_twice(database: Settings, options: ImportOptions) -> None:
    with open_store(database, "abc123") as store:
        store.refuse_if_present()
        with pytest.raises(InvalidInput, match="under way"):
            run_import(database, raw(("5", "1997-03-01", "1")), options)


def test_bad_rows_are_left_out_and_listed(database: Settings, options: ImportOptions) -> None:
    source = raw(("5", "1997-03-01", "1"), ("6", "1997-03-01", "-1"), ("7", "=now()", "1"))
    report = run_import(database, source, options)
    assert str(report.shown[0]) == "row 2: amount = '-1': is negative"
    assert (report.bad_rows, sizes(database)) == (2, (1, 1))
    with options.bad_rows_file.open() as file:
        lines = list(csv.reader(file))
    assert [line[:3] for line in lines] == [
        ["row", "field", "value"],
        ["2", "amount", "'-1"],
        ["3", "time", "'=now()"],
    ]


def test_only_the_first_bad_rows_are_shown_and_all_are_kept(database: Settings, options: ImportOptions) -> None:
    source = raw(("5", "1997-03-01", "1"), *[("6", "1997-03-01", "x")] * 30)
    report = run_import(database, source, options)
    assert (report.bad_rows, len(report.shown)) == (30, 20)
    assert len(options.bad_rows_file.read_text().splitlines()) == 31


def test_strict_refuses_everything_for_one_bad_row(database: Settings, options: ImportOptions) -> None:
    source = raw(("5", "1997-03-01", "1"), ("6", "1997-03-01", "x"))
    with pytest.raises(InvalidInput, match="row 2: amount = 'x': is not a number"):
        run_import(database, source, replace(options, strict=True))
    assert sizes(database) == (0, 0)


def test_a_source_without_a_usable_row_is_refused(database: Settings, options: ImportOptions) -> None:
    with pytest.raises(InvalidInput, match="no usable row"):
        run_import(database, raw(("6", "1997-03-01", "x")), options)


def test_a_source_that_breaks_off_leaves_nothing(database: Settings, options: ImportOptions) -> None:
    with pytest.raises(InvalidInput, match="in the middle"):
        run_import(database, replace(raw(("5", "1997-03-01", "1")), fails=True), options)
    assert sizes(database) == (0, 0)


def test_a_shop_that_was_never_migrated_says_so(database: Settings, options: ImportOptions) -> None:
    with connect(database, "owner") as connection:
        connection.execute("alter schema shop rename to elsewhere")
    with pytest.raises(InvalidInput, match="retentioncast migrate"):
        run_import(database, raw(("5", "1997-03-01", "1")), options)


def test_a_paced_import_places_each_row_when_its_time_has_come(database: Settings, options: ImportOptions) -> None:
    clock, seen = ManualClock(START), list[tuple[float, int]]()

    def watch(step: str, done: int, total: int | None) -> None:
        if step == "write":
            seen.append((clock.monotonic_s(), done))
            assert sizes(database)[1] == done  # committed, and no more than that

    days = [0, 0, 1, 5]
    source = raw(*[(str(day + 1), (START + timedelta(days=day)).isoformat(), "1") for day in days])
    run_import(database, source, replace(options, speed=86_400.0, progress=watch), clock)
    assert [done for _, done in seen] == [2, 3, 4]
    assert [at for at, _ in seen] == pytest.approx([0, 1, 5], abs=0.06)
    assert sizes(database) == (3, 4)


def test_a_live_shop_may_insert_customers_while_ids_are_decided(database: Settings, options: ImportOptions) -> None:
    inserted = threading.Event()

    def insert() -> None:
        with connect(database, "simulator") as connection:
            connection.execute("insert into shop.customers values (default, 'a', 'a', 'US', 'a', now())")
        inserted.set()

    others: list[threading.Thread] = []

    def start_another(step: str, done: int, total: int | None) -> None:
        if step == "write" and not others:
            others.append(threading.Thread(target=insert))
            others[0].start()
            assert not inserted.is_set()

    source = raw(*[(str(key), "1997-01-01", "1") for key in range(1, 4)])
    run_import(database, source, replace(options, progress=start_another))
    others[0].join(timeout=30)
    assert inserted.is_set()
    assert shop(database, "select customer_id from shop.customers order by 1") == [(1,), (2,), (3,), (4,)]
