"""Each way in which a row can be wrong is found and said; what is right comes through exactly."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retentioncast.imports.rows import BadRow, Purchase, RawRow, RowRules, read_row

RULES = RowRules(latest=datetime(2026, 1, 1, tzinfo=UTC))


def read(
    customer: str = "7", time: str = "1997-01-01", amount: str = "9.99", rules: RowRules = RULES
) -> Purchase | BadRow:
    return read_row(RawRow(3, customer, time, amount), rules)


def test_a_good_row_is_a_purchase_to_the_cent_and_the_microsecond() -> None:
    found = read("anna@example.com", "1997-01-01T12:00:00.000001+02:00", " 1234.5 ")
    at = datetime(1997, 1, 1, 10, 0, 0, 1, tzinfo=UTC)
    assert found == Purchase(3, "anna@example.com", at, Decimal("1234.50"))


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("customer", "", "missing"),
        ("customer", "  ", "missing"),
        ("customer", "NaN", "missing"),
        ("customer", "x" * 201, "longer than 200"),
        ("customer", "a\x00b", "not printable"),
        ("customer", "a\udcff", "not printable"),
        ("time", "", "missing"),
        ("time", "NaT", "missing"),
        ("time", "yesterday", "ISO 8601"),
        ("time", "01/02/1997", "ISO 8601"),
        ("time", "1997-02-30", "ISO 8601"),
        ("time", "1899-12-31", "before 1900"),
        ("time", "0001-01-01T00:00:00+05:00", "out of range"),
        ("time", "9999-12-31", "future"),
        ("time", "1997-01-01T00:00:00.0000001", "finer than a microsecond"),
        ("amount", "", "missing"),
        ("amount", "null", "missing"),
        ("amount", "nan", "not a finite number"),
        ("amount", "-Infinity", "not a finite number"),
        ("amount", "twelve", "not a number"),
        ("amount", "$5", "not a number"),
        ("amount", "1,234.56", "not a number"),
        ("amount", "1_000", "not a number"),
        ("amount", "١٢", "not a number"),
        ("amount", "-0.01", "negative"),
        ("amount", "1.005", "more than two decimals"),
        ("amount", "1e-400", "more than two decimals"),
        ("amount", "10000000000", "out of range"),
        ("amount", "1e300", "out of range"),
    ],
)
def test_a_bad_field_is_named_with_its_value_and_the_reason(field: str, value: str, reason: str) -> None:
    fields = {"customer": "7", "time": "1997-01-01", "amount": "9.99", field: value}
    found = read(**fields)  # type: ignore[arg-type]
    assert isinstance(found, BadRow)
    assert (found.number, found.field, found.value) == (3, field, value)
    assert reason in found.reason


@pytest.mark.parametrize(
    ("text", "amount"),
    [("0", "0.00"), ("-0.0", "0.00"), ("2.500", "2.50"), ("1e3", "1000.00"), (".5", "0.50")],
)
def test_harmless_ways_to_write_an_amount_are_understood(text: str, amount: str) -> None:
    found = read(amount=text)
    assert isinstance(found, Purchase)
    assert str(found.amount) == amount


def test_a_time_without_a_zone_is_in_the_zone_that_was_said() -> None:
    rules = RowRules(RULES.latest, ZoneInfo("America/New_York"))
    found = read(time="1997-01-01 19:00:00", rules=rules)
    assert isinstance(found, Purchase)
    assert found.occurred_at == datetime(1997, 1, 2, tzinfo=UTC)


def test_another_format_of_time_can_be_said() -> None:
    found = read(time="31.12.1997", rules=RowRules(RULES.latest, time_format="%d.%m.%Y"))
    assert isinstance(found, Purchase)
    assert found.occurred_at == datetime(1997, 12, 31, tzinfo=UTC)


def test_nanoseconds_that_are_zero_are_no_harm() -> None:
    assert isinstance(read(time="1997-01-01 00:00:00.123456000"), Purchase)


@given(st.text(max_size=30), st.text(max_size=30), st.text(max_size=30))
def test_no_text_whatsoever_raises(customer: str, time: str, amount: str) -> None:
    assert read(customer, time, amount) is not None
    assert read("1", time, "1") is not None
    assert read("1", "1997-01-01", amount) is not None


@given(st.integers(0, 10**12 - 1), st.timedeltas(timedelta(0), timedelta(days=40_000)))
def test_what_was_written_exactly_is_read_exactly(cents: int, since: timedelta) -> None:
    at = datetime(1900, 1, 1, tzinfo=UTC) + since
    found = read(time=at.isoformat(), amount=f"{cents // 100}.{cents % 100:02d}")
    assert found == Purchase(3, "7", at, Decimal(cents).scaleb(-2))
