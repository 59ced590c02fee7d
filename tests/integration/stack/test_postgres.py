"""The Postgres that the stack starts is the one that the pipeline needs."""

from __future__ import annotations

from retentioncast.infra.postgres import connect
from retentioncast.infra.settings import Settings


def test_it_can_feed_change_data_capture_and_keeps_what_it_confirmed(postgres: Settings) -> None:
    wanted = {
        "wal_level": "logical",
        "synchronous_commit": "on",
        "max_slot_wal_keep_size": "-1",
        "listen_addresses": "127.0.0.1",
        "password_encryption": "scram-sha-256",
        "TimeZone": "UTC",
    }
    with connect(postgres, "owner", dbname="postgres") as connection:
        found = {name: connection.execute("select current_setting(%s)", (name,)).fetchone() for name in wanted}
    assert found == {name: (value,) for name, value in wanted.items()}


def test_each_test_gets_a_migrated_database_that_nobody_else_writes_to(
    database: Settings, another_database: Settings
) -> None:
    with connect(database, "owner") as connection:
        connection.execute("insert into analytics.customer_totals values (1, now(), now(), 1, 5)")
    assert _customers(database) == (1,)
    assert _customers(another_database) == (0,)


def _customers(settings: Settings) -> object:
    with connect(settings, "reader") as connection:
        return connection.execute("select count(*) from analytics.customer_rfm").fetchone()
