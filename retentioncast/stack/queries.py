"""Asks the database what the stack's commands tell: is the shop empty, are there scores, how far behind are we."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, LiteralString

import psycopg
from psycopg import sql as compose
from psycopg.rows import class_row, dict_row

from retentioncast.core.errors import Retry
from retentioncast.core.shop import ShopNames
from retentioncast.infra.postgres import connect
from retentioncast.infra.settings import Settings
from retentioncast.infra.sql import sql

FOLDER = Path(__file__).parent / "sql"


@dataclass(frozen=True, slots=True)
class CustomerAtRisk:
    """One line of the report. Probabilities in 0..1, values in the shop's currency over the scorer's horizon."""

    customer_id: int
    name: str | None
    no_purchase_30d: float
    no_purchase_90d: float
    residual_value: float
    residual_value_low: float | None
    residual_value_high: float | None
    as_of: datetime


def shop_is_empty(settings: Settings, names: ShopNames | None = None) -> bool:
    """True when the shop has no customer."""
    names = names or ShopNames()
    table = compose.Identifier(names.schema, names.tables["customers"].name)
    statement = compose.SQL(_statement("shop_has_customers")).format(table=table)
    with connect(settings, "reader") as connection:
        row = connection.execute(statement).fetchone()
    return row is None or not row[0]


def not_arrived(settings: Settings, names: ShopNames | None = None) -> str:
    """Empty when the mirror has as many rows as the shop, else how many have arrived."""
    names = names or ShopNames()
    shop = mirror = 0
    with connect(settings, "reader") as connection:
        for role, table in names.tables.items():
            statement = compose.SQL(_statement("rows_in_both")).format(
                shop=compose.Identifier(names.schema, table.name), mirror=compose.Identifier("analytics", role)
            )
            there, here = connection.execute(statement).fetchone() or (0, 0)
            shop, mirror = shop + there, mirror + here
    return "" if mirror >= shop else f"{mirror:,} of {shop:,} rows have arrived"


def most_at_risk(settings: Settings, limit: int = 10) -> list[CustomerAtRisk]:
    """The customers with the most at stake, the most first; none when nothing has been scored."""
    with connect(settings, "reader") as connection, connection.cursor(row_factory=class_row(CustomerAtRisk)) as cursor:
        return cursor.execute(_statement("most_at_risk"), {"limit": limit}).fetchall()


def scored_customers(settings: Settings) -> int:
    """How many customers have scores."""
    with connect(settings, "reader") as connection:
        row = connection.execute(_statement("scored_customers")).fetchone()
    return row[0] if row else 0


def rows(settings: Settings, name: str, **parameters: object) -> list[dict[str, Any]]:
    """The rows of a statement as the reader sees them; none when the table does not exist yet or nobody answers."""
    try:
        with connect(settings, "reader") as connection, connection.cursor(row_factory=dict_row) as cursor:
            return cursor.execute(_statement(name), parameters).fetchall()
    except (Retry, psycopg.Error):
        return []


def _statement(name: str) -> LiteralString:
    return sql(f"stack.{name}", FOLDER)
