"""Reads the scores in force for people: customers with their risk, value and intervals, or why there are none."""

from __future__ import annotations

from typing import Any

from psycopg import sql as compose
from psycopg.rows import dict_row

from retentioncast.core.errors import InvalidInput, NotEnoughData
from retentioncast.infra.postgres import connect
from retentioncast.infra.settings import Settings
from retentioncast.infra.sql import sql

ORDERS = ("risk", "stake", "value")
Row = dict[str, Any]


def read_scores(settings: Settings, top: int = 20, customer: int | None = None, by: str = "risk") -> list[Row]:
    """The first `top` customers in this order, or the one customer: the columns of scores.customer_scores, the
    customer's name, e-mail, country, orders and value, and the live `online_no_order_30d`.

    Errors: NotEnoughData when there are no scores yet, with the reason; InvalidInput when this customer has none.
    """
    if by not in ORDERS:
        raise InvalidInput(f"There is no order {by!r}.", f"Choose one of: {', '.join(ORDERS)}.")
    statement = compose.SQL(sql("scores.top")).format(order=compose.SQL(sql(f"scores.by_{by}")))
    with connect(settings, "reader") as connection, connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(statement, {"customer": customer, "top": top}).fetchall()
        if rows:
            return rows
        others = cursor.execute(statement, {"customer": None, "top": 1}).fetchone() if customer is not None else None
        run = cursor.execute(sql("scores.last_run")).fetchone()
    if customer is not None and others is not None:
        raise InvalidInput(*_why_unscored(settings, customer))
    raise NotEnoughData(*_why_no_scores(run))


def _why_no_scores(run: Row | None) -> tuple[str, str]:
    if run is None:
        return "There are no scores yet: the scorer has not finished a run.", "See `retentioncast logs scorer`."
    when = f"run {run['run_id']} at {run['started_at']:%Y-%m-%d %H:%M:%S %Z}"
    if run["status"] == "published":
        return f"There are no scores: {when} was published for no customer.", "See scores.model_runs."
    return (
        f"There are no scores yet: {when} was {run['status']}: {run['reason']}",
        "The scorer tries again by itself; `retentioncast score` tries at once.",
    )


def _why_unscored(settings: Settings, customer: int) -> tuple[str, str]:
    with connect(settings, "reader") as connection:
        row = connection.execute(sql("scores.is_known"), {"customer": customer}).fetchone()
    known, has_orders = row or (False, False)
    if not known:
        return f"There is no customer {customer}.", "Customers are in analytics.customers."
    if not has_orders:
        return f"Customer {customer} has no order, so there is nothing to score.", "Scores follow the first order."
    return f"Customer {customer} came after the last run.", "`retentioncast score` scores at once."
