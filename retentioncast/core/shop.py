"""The one place where the shop's table and column names stand: from the role a thing plays to its name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

CUSTOMERS = "customers"
SUBSCRIPTIONS = "subscriptions"
TRANSACTIONS = "transactions"
SESSIONS = "sessions"
#: The order in which tables are written and locked, parents first.
ROLES = (CUSTOMERS, SUBSCRIPTIONS, TRANSACTIONS, SESSIONS)

#: A text column whose unchanged, out-of-line value Debezium does not send: the mirror keeps what it has.
UNAVAILABLE = "__debezium_unavailable_value"

PLANS = ("basic", "pro", "enterprise")
BILLING_PERIODS = ("monthly", "yearly")
KINDS = ("purchase", "renewal", "refund")
ORDER_KINDS = ("purchase", "renewal")


@dataclass(frozen=True, slots=True)
class Table:
    """A table of the shop: its name, its key, and its columns as role -> column name."""

    name: str
    key: str
    columns: Mapping[str, str]


def _table(name: str, key: str, *columns: str) -> Table:
    return Table(name, key, {column: column for column in (key, *columns)})


def _own_tables() -> Mapping[str, Table]:
    return {
        CUSTOMERS: _table("customers", "customer_id", "name", "email", "country", "channel", "created_at"),
        SUBSCRIPTIONS: _table(
            "subscriptions", "subscription_id", "customer_id", "plan", "billing_period", "price",
            "currency", "started_at", "cancelled_at", "cancel_reason",
        ),
        TRANSACTIONS: _table(
            "transactions", "transaction_id", "customer_id", "subscription_id", "kind", "amount",
            "currency", "occurred_at", "refers_to", "promotion",
        ),
        SESSIONS: _table("sessions", "session_id", "customer_id", "started_at", "pages", "channel"),
    }  # fmt: skip


@dataclass(frozen=True, slots=True)
class ShopNames:
    """The names of somebody's shop; by default those of our own migrations."""

    schema: str = "shop"
    tables: Mapping[str, Table] = field(default_factory=_own_tables)

    def topic(self, prefix: str, role: str) -> str:
        """The Kafka topic into which Debezium writes the changes of the table with this role."""
        return f"{prefix}.{self.schema}.{self.tables[role].name}"

    def role_of(self, topic: str) -> str:
        """The role of the table whose changes this topic holds; KeyError for a topic of nobody's."""
        name = topic.rsplit(".", 1)[-1]
        return next(role for role, table in self.tables.items() if table.name == name)
