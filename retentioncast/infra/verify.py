"""Never trusts the pipe: recomputes from the shop what analytics should hold, and says where it differs.

The stream lags, so a difference proves nothing by itself. It counts only when it is still the same after everything
that was committed before it was seen has passed the slot, Kafka and the consumer (the fence). Debezium tells the slot
every five seconds only, so meanwhile it is looked again: analytics that equals the shop at any moment is right.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any, LiteralString

import psycopg
from psycopg import sql as compose

from retentioncast.core.clock import Clock, SystemClock
from retentioncast.core.errors import Retry
from retentioncast.core.shop import ROLES, TRANSACTIONS, ShopNames
from retentioncast.infra.fence import Fence, StreamFence
from retentioncast.infra.postgres import connect
from retentioncast.infra.settings import Settings
from retentioncast.infra.sql import sql

logger = logging.getLogger(__name__)

#: So many differing rows of one table are looked at; more of them say nothing new.
MOST = 10_000
PAUSE_S = 0.25
#: At most a quarter of the waiting is spent looking: the queries of a large shop take seconds.
LOOK_SHARE = 0.25
ROW = "(row)"

_RFM_COLUMNS = ("first_purchase", "latest_purchase", "recency", "frequency", "order_count", "order_value")
Note = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Difference:
    """One column of one row. For the column `(row)`, None stands for a row that is not there."""

    table: str
    key: int
    customer_id: int | None
    column: str
    expected: str | None
    found: str | None

    def __str__(self) -> str:
        whose = f" of customer {self.customer_id}" if self.customer_id not in (None, self.key) else ""
        where = f"{self.table} {self.key}{whose}"
        if self.column != ROW:
            return f"{where}: {self.column} should be {self.expected or 'null'}, is {self.found or 'null'}"
        if self.found is None:
            return f"{where}: is missing, should be {self.expected}"
        return f"{where}: should not be there, is {self.found}"

    @property
    def row(self) -> tuple[str, int]:
        """The table and key."""
        return self.table, self.key

    def as_json(self) -> dict[str, Any]:
        """Plain values for `--json`."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class _Comparison:
    """Two queries whose rows should be equal: by this key, in these columns."""

    table: str
    key: str
    columns: tuple[str, ...]
    expected: compose.Composable
    found: compose.Composable


def verify(
    settings: Settings,
    wait_s: float = 60.0,
    *,
    names: ShopNames | None = None,
    fence: Fence | None = None,
    clock: Clock | None = None,
    note: Note = lambda text: None,
) -> list[Difference]:
    """All differences that are no lag; empty when analytics is right.

    Errors: Retry when there are differences and the stream has not caught up within `wait_s` seconds.
    """
    clock, fence = clock or SystemClock(), fence or StreamFence(settings)
    give_up = clock.monotonic_s() + wait_s
    look = _Looks(settings, names, clock)
    before, confirmed = look(), set[Difference]()
    while before:
        note(f"{len(before):,} differences; waiting until everything committed so far has come through")
        now = _after_fence(fence, look, clock, give_up, note)
        if now is None:
            if confirmed:
                break
            raise Retry(
                f"The stream has not caught up within {wait_s:g} s: {fence.behind()}; "
                f"{len(before):,} differences so far.",
                "See `retentioncast status`; give it longer with --wait.",
            )
        confirmed |= now & before
        before = _undecided(before, now, confirmed)
    return sorted(confirmed, key=lambda each: (each.table, each.key, each.column))


def _undecided(
    before: frozenset[Difference], now: frozenset[Difference], confirmed: set[Difference]
) -> frozenset[Difference]:
    """What still differs, but otherwise than before: rows that the shop or the consumer changed meanwhile."""
    decided = {each.row for each in confirmed}
    open_rows = {each.row for each in before} - decided
    return frozenset(each for each in now if each.row in open_rows)


def compare(settings: Settings, names: ShopNames | None = None) -> frozenset[Difference]:
    """Every difference at this moment, lag included, in one snapshot as the reader."""
    names = names or ShopNames()
    differences: set[Difference] = set()
    with connect(settings, "reader") as connection:
        connection.execute("set transaction isolation level repeatable read, read only")
        connection.execute("set local time zone 'UTC'")
        for comparison in _comparisons(names):
            differences.update(_differences(connection, comparison))
    logger.info("%d differences.", len(differences), extra={"action": "compare", "differences": len(differences)})
    return frozenset(differences)


@dataclass(slots=True)
class _Looks:
    """Comparisons of one verification, and when the next one is worth its time."""

    settings: Settings
    names: ShopNames | None
    clock: Clock
    _next_s: float = 0.0

    def __call__(self) -> frozenset[Difference]:
        begun = self.clock.monotonic_s()
        found = compare(self.settings, self.names)
        ended = self.clock.monotonic_s()
        self._next_s = ended + max(PAUSE_S, (ended - begun) * (1 / LOOK_SHARE - 1))
        return found

    def equal_by_now(self) -> bool:
        """Whether nothing differs any more; looks only when it is due."""
        return self.clock.monotonic_s() >= self._next_s and not self()


def _after_fence(fence: Fence, look: _Looks, clock: Clock, give_up: float, note: Note) -> frozenset[Difference] | None:
    """What differs once the stream has passed the fence, or as soon as nothing does; None when that takes too long."""
    fence.set()
    while not fence.passed():
        if look.equal_by_now():
            return frozenset()
        if clock.monotonic_s() >= give_up:
            return None
        note(fence.behind())
        clock.sleep(PAUSE_S)
    return look()


def _comparisons(names: ShopNames) -> Iterator[_Comparison]:
    for role in ROLES:
        yield _mirror(names, role)
    holes = _transaction_holes(names)
    for table, key, columns in (
        ("refunded", "transaction_id", ("refunded",)),
        ("rfm", "customer_id", _RFM_COLUMNS),
    ):
        expected, found = (compose.SQL(sql(f"verify.{table}_{side}")) for side in ("expected", "found"))
        title = {"refunded": "analytics.transactions", "rfm": "analytics.customer_rfm"}[table]
        yield _Comparison(title, key, columns, expected.format(**holes), found)


def _mirror(names: ShopNames, role: str) -> _Comparison:
    table = names.tables[role]
    own = [compose.Identifier(column) for column in table.columns]
    theirs = [compose.Identifier(column) for column in table.columns.values()]
    renamed = [compose.SQL("{} as {}").format(*pair) for pair in zip(theirs, own, strict=True)]
    expected = compose.SQL(sql("verify.mirror_expected")).format(
        shop_columns=compose.SQL(", ").join(renamed), shop_table=compose.Identifier(names.schema, table.name)
    )
    found = compose.SQL(sql("verify.mirror_found")).format(
        mirror_columns=compose.SQL(", ").join(own), mirror_table=compose.Identifier("analytics", role)
    )
    return _Comparison(f"analytics.{role}", table.key, tuple(table.columns), expected, found)


def _transaction_holes(names: ShopNames) -> dict[str, compose.Composable]:
    table = names.tables[TRANSACTIONS]
    holes: dict[str, compose.Composable] = {role: compose.Identifier(name) for role, name in table.columns.items()}
    return holes | {TRANSACTIONS: compose.Identifier(names.schema, table.name)}


def _statement(comparison: _Comparison) -> compose.Composed:
    def each(template: LiteralString, glue: LiteralString) -> compose.Composed:
        pattern = compose.SQL(template)
        return compose.SQL(glue).join(pattern.format(c=compose.Identifier(column)) for column in comparison.columns)

    return compose.SQL(sql("verify.compare")).format(
        key=compose.Identifier(comparison.key),
        customer=compose.Identifier("customer_id"),
        expected=comparison.expected,
        found=comparison.found,
        expected_texts=each("expected.{c}", ", "),
        found_texts=each("found.{c}", ", "),
        differs=each("expected.{c} is distinct from found.{c}", ", "),
        any_differs=each("expected.{c} is distinct from found.{c}", " or "),
        limit=compose.Literal(MOST),
    )


def _differences(connection: psycopg.Connection, comparison: _Comparison) -> Iterator[Difference]:
    rows = connection.execute(_statement(comparison))
    for key, customer, wanted, held, expected, found, differs in rows:
        if wanted and held:
            for column, should, does, differ in zip(comparison.columns, expected, found, differs, strict=True):
                if differ:
                    yield Difference(comparison.table, key, customer, column, should, does)
        else:
            texts = _row_text(expected) if wanted else None, _row_text(found) if held else None
            yield Difference(comparison.table, key, customer, ROW, *texts)


def _row_text(values: list[str | None]) -> str:
    return "(" + ", ".join("null" if value is None else value for value in values) + ")"
