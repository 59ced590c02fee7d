"""Writes an import into the shop, as the shop's own login: a staging table by COPY, then pieces in event-time order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, LiteralString

import psycopg

from retentioncast.core.errors import InvalidInput, Retry
from retentioncast.imports.rows import Purchase
from retentioncast.infra.postgres import connect
from retentioncast.infra.settings import Settings
from retentioncast.infra.sql import sql

_FOLDER = Path(__file__).parent / "sql"


@dataclass(frozen=True, slots=True)
class Staged:
    """What stands ready to be placed."""

    purchases: int
    customers: int
    first: datetime
    latest: datetime


class ShopStore:
    """One import on one connection. What is not committed when the connection closes was never there."""

    def __init__(self, connection: psycopg.Connection, mark: str) -> None:
        self._connection = connection
        self._mark = mark

    def refuse_if_present(self) -> None:
        """InvalidInput when the shop already has rows of this import, or another process is at it."""
        if not self._row("hold_mark")[0]:
            raise InvalidInput("The same import is under way in another process.", "Wait until it has ended.")
        customers, purchases = self._row("count_placed")
        if customers:
            raise InvalidInput(
                f"The shop already has this import: {purchases:,} purchases of {customers:,} customers.",
                "Nothing was written. To import it again, first delete from shop.transactions and shop.customers "
                f"the customers whose e-mail ends in @{self._mark}.import.invalid.",
            )

    def stage(self, purchases: Iterable[Purchase]) -> int:
        """Copy the rows into a temporary table; how many there were."""
        self._run("make_staging")
        staged = 0
        with self._connection.cursor() as cursor, cursor.copy(_statement("stage")) as copy:
            for row in purchases:
                copy.write_row((row.number, row.customer, row.occurred_at, row.amount))
                staged += 1
        return staged

    def put_in_order(self) -> Staged:
        """Give each staged row its position in event time."""
        for step in ("order_purchases", "index_purchases", "gather_customers", "index_customers", "analyze_staging"):
            self._run(step)
        return Staged(*self._row("summarize"))

    def assign_ids(self) -> bool:
        """Decide each customer's id in the shop: those of the source if all are free (True), else new ones."""
        self._run("lock_customers")
        (smallest,) = self._row("numeric_ids")
        keep = smallest is not None and not self._row("ids_taken", smallest=smallest)[0]
        for step in ("keep_ids", "advance_ids") if keep else ("draw_ids",):
            self._run(step)
        self._run("index_first_positions")
        return keep

    def place(self, first: int, last: int) -> None:
        """Insert the rows of these positions, both included, and the customers who begin with them."""
        span = {"from": first, "to": last, "mark": self._mark}
        self._run("place_customers", **span)
        self._run("place_purchases", **span)

    def reached(self, done: int, piece: int, time: datetime) -> tuple[int, datetime | None]:
        """The last position after `done` whose time has come (at most `piece` on), and when the next row is due."""
        position, due = self._row("reached", done=done, piece=piece, time=time)
        return position, due

    def commit(self) -> None:
        """Make what was placed the shop's."""
        self._connection.commit()

    def _run(self, name: LiteralString, **values: Any) -> None:
        self._connection.execute(_statement(name), values)

    def _row(self, name: LiteralString, **values: Any) -> tuple[Any, ...]:
        row = self._connection.execute(_statement(name), {"mark": self._mark, **values}).fetchone()
        assert row is not None, name
        return row


@contextmanager
def open_store(settings: Settings, mark: str) -> Iterator[ShopStore]:
    """A store that writes as the shop; everything since the last commit is undone when an error leaves it."""
    try:
        with connect(settings, "simulator") as connection:
            yield ShopStore(connection, mark)
    except psycopg.errors.UndefinedTable as error:
        raise InvalidInput(f"The shop has no tables yet: {error}.", "Run `retentioncast migrate`.") from error
    except psycopg.OperationalError as error:
        raise Retry(
            f"Postgres went away during the import: {error}.",
            "What was not committed was undone. See `retentioncast status`, then import again.",
        ) from error


def _statement(name: LiteralString) -> LiteralString:
    return sql(f"imports.{name}", _FOLDER)
