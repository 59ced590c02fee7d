"""Turns the text of a row into a purchase, or says which field of it cannot be true and why."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from decimal import Decimal

#: As in shop.transactions: numeric(12, 2).
AMOUNT_LIMIT = Decimal(10) ** 10
CENT = Decimal("0.01")
EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)
LONGEST_CUSTOMER = 200

# Decimal() would also take 1_000, ١٢ and Infinity.
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
_NOT_FINITE = frozenset({"nan", "inf", "infinity"})
_MISSING = frozenset({"", "null", "none", "n/a", "<na>", "nat", "\\n"})
_FRACTION = re.compile(r"\.(\d{6})(\d+)")


@dataclass(frozen=True, slots=True)
class RawRow:
    """A row as it was found: `number` is the line of a text file, or the row (from 1) of any other."""

    number: int
    customer: str
    time: str
    amount: str


@dataclass(frozen=True, slots=True)
class Purchase:
    """A row that holds: the customer as the source calls it, an aware time, an amount to the cent."""

    number: int
    customer: str
    occurred_at: datetime
    amount: Decimal


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that does not hold, by its first field that cannot be used."""

    number: int
    field: str
    value: str
    reason: str

    def __str__(self) -> str:
        return f"row {self.number}: {self.field} = {self.value!r}: {self.reason}"


@dataclass(frozen=True, slots=True)
class RowRules:
    """What the file itself cannot say: the zone of times without one, their format, and the latest credible time."""

    latest: datetime
    timezone: tzinfo = UTC
    time_format: str | None = None


class _Unusable(ValueError):
    """The reason why a field cannot be used."""


def read_row(raw: RawRow, rules: RowRules) -> Purchase | BadRow:
    """The purchase that the row tells of, or what is wrong with it."""
    field, value = "customer", raw.customer
    try:
        customer = _customer(value)
        field, value = "time", raw.time
        occurred_at = _time(value, rules)
        field, value = "amount", raw.amount
        return Purchase(raw.number, customer, occurred_at, _amount(value))
    except _Unusable as reason:
        return BadRow(raw.number, field, value, str(reason))


def _present(text: str) -> str:
    stripped = text.strip()
    if stripped.lower() in _MISSING:
        raise _Unusable("is missing")
    return stripped


def _customer(text: str) -> str:
    customer = _present(text)
    if customer.lower() == "nan":
        raise _Unusable("is missing")
    if len(customer) > LONGEST_CUSTOMER:
        raise _Unusable(f"is longer than {LONGEST_CUSTOMER} characters")
    if not customer.isprintable():
        raise _Unusable("holds characters that are not printable text (is the file UTF-8?)")
    return customer


def _amount(text: str) -> Decimal:
    number = _present(text)
    if number.lstrip("+-").lower() in _NOT_FINITE:
        raise _Unusable("is not a finite number")
    if not _NUMBER.fullmatch(number):
        raise _Unusable("is not a number (write 1234.50, without currency or thousands separator)")
    amount = Decimal(number)
    if amount < 0:
        raise _Unusable("is negative")
    if amount >= AMOUNT_LIMIT:
        raise _Unusable(f"is out of range (must be below {AMOUNT_LIMIT:,})")
    if amount % CENT:
        raise _Unusable("has more than two decimals")
    return abs(amount.quantize(CENT))


def _time(text: str, rules: RowRules) -> datetime:
    time = _parse(_present(text), rules.time_format)
    if time.utcoffset() is None:
        time = time.replace(tzinfo=rules.timezone)
    try:
        time = time.astimezone(UTC)
    except OverflowError as error:
        raise _Unusable("is out of range") from error
    if time < EARLIEST:
        raise _Unusable(f"is out of range (before {EARLIEST:%Y})")
    if time > rules.latest:
        raise _Unusable("is in the future")
    return time


def _parse(text: str, time_format: str | None) -> datetime:
    finer = _FRACTION.search(text)
    if finer and finer[2].strip("0"):
        raise _Unusable("is finer than a microsecond")
    try:
        return datetime.strptime(text, time_format) if time_format else datetime.fromisoformat(text)  # noqa: DTZ007
    except ValueError as error:
        wanted = f"of the form {time_format}" if time_format else "in ISO 8601 (or say --time-format)"
        raise _Unusable(f"is not a time {wanted}") from error
