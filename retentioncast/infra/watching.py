"""Joins the topics' tail with what analytics knows, so that changes pass with names and with what was before."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence

import psycopg

from retentioncast.core.errors import InvalidMessage, Retry
from retentioncast.core.passing import PassingChange, RowMemory, read_passing
from retentioncast.core.shop import CUSTOMERS, ShopNames
from retentioncast.infra.mirror_rows import customer_name, recent_rows
from retentioncast.infra.postgres import connect
from retentioncast.infra.settings import Settings
from retentioncast.infra.tail import Tail

#: Names kept in memory.
_NAMES = 100_000


class Watching:
    """The changes of some tables from now on, or from the beginning. To be closed. Works without Postgres, nameless."""

    def __init__(self, settings: Settings, roles: Sequence[str], from_beginning: bool, remembered: int) -> None:
        self._shop = ShopNames()
        topics = [self._shop.topic(settings.kafka.topic_prefix, role) for role in roles]
        # The tail first: a change between the two is then seen, and the mirror's newer row does not count as before.
        self._tail = Tail(settings, topics, from_beginning)
        self._memory = RowMemory()
        self._names: OrderedDict[int, str] = OrderedDict()
        self._postgres = _reader(settings)
        if not from_beginning:
            self._remember(roles, remembered)

    def changes(self) -> Iterator[PassingChange | str]:
        """Change after change; a message that is none is told as text."""
        for message in self._tail.messages():
            if message is None:
                continue
            role = self._shop.role_of(message.topic)
            try:
                change = read_passing(message.value, role, self._shop.tables[role], self._memory)
            except InvalidMessage as error:
                yield f"{message.topic} [{message.partition}] @{message.offset}: {error.reason}"
                continue
            self._learn_name(change)
            yield change

    def name_of(self, customer_id: int | None) -> str | None:
        """The customer's name, if it is known."""
        if customer_id is None:
            return None
        if customer_id not in self._names and self._postgres is not None:
            try:
                name = customer_name(self._postgres, customer_id)
            except psycopg.Error:
                self._postgres = None
                return None
            if name is not None:
                self._keep_name(customer_id, name)
        return self._names.get(customer_id)

    def close(self) -> None:
        """Let go of Kafka and Postgres."""
        self._tail.close()
        if self._postgres is not None:
            self._postgres.close()

    def _remember(self, roles: Sequence[str], remembered: int) -> None:
        if self._postgres is None:
            return
        for role in roles:
            table = self._shop.tables[role]
            for version, row in recent_rows(self._postgres, role, tuple(table.columns), remembered):
                self._memory.learn(role, row[table.key], version, row)

    def _learn_name(self, change: PassingChange) -> None:
        row = change.after or change.before
        if change.table == CUSTOMERS and change.key is not None and row and row.get("name"):
            self._keep_name(change.key, row["name"])

    def _keep_name(self, customer_id: int, name: str) -> None:
        self._names[customer_id] = name
        if len(self._names) > _NAMES:
            self._names.popitem(last=False)


def _reader(settings: Settings) -> psycopg.Connection | None:
    try:
        return connect(settings, "reader", autocommit=True)
    except Retry:
        return None
