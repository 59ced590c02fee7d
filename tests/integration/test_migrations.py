"""The schema is what the code thinks it is, goes up, down and up again, and each login may do only its own work."""

from __future__ import annotations

import psycopg
import pytest

from consumer.staging import columns
from retentioncast.core.shop import ROLES, ShopNames
from retentioncast.infra.migrate import downgrade, migrate
from retentioncast.infra.postgres import connect
from retentioncast.infra.settings import Settings
from scorer.columns import PURCHASE_MODELS, RECALIBRATIONS, SCORES

CATALOGUE = {
    "columns": """
        select c.relnamespace::regnamespace::text, c.relname, c.relkind, a.attname,
               format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity,
               pg_get_expr(d.adbin, d.adrelid)
        from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
        left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
        where c.relnamespace::regnamespace::text in ('shop', 'analytics', 'scores', 'truth') order by 1, 2, 4""",
    "constraints": """
        select conrelid::regclass::text, pg_get_constraintdef(oid) from pg_constraint
        where connamespace::regnamespace::text in ('shop', 'analytics', 'scores', 'truth') order by 1, 2""",
    "indexes": """
        select indexdef from pg_indexes where schemaname in ('shop', 'analytics', 'scores', 'truth') order by 1""",
    "views": "select viewname, definition from pg_views where schemaname in ('analytics', 'scores') order by 1",
    "privileges": """
        select n.nspname, c.relname, c.relacl::text from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where n.nspname in ('shop', 'analytics', 'scores', 'truth') order by 1, 2""",
    "publication": "select * from pg_publication_tables order by 3, 4",
    "identity": "select relname, relreplident from pg_class where relnamespace = 'shop'::regnamespace order by 1",
    "functions": """
        select proname, pg_get_functiondef(oid) from pg_proc
        where pronamespace::regnamespace::text in ('analytics', 'scores') order by 1, 2""",
}


def catalogue(settings: Settings) -> dict[str, list[tuple[object, ...]]]:
    with connect(settings, "owner") as connection:
        return {name: connection.execute(query).fetchall() for name, query in CATALOGUE.items()}


def types(settings: Settings, table: str) -> dict[str, str]:
    query = """
        select attname, format_type(atttypid, null) from pg_attribute
        where attrelid = %s::regclass and attnum > 0 and not attisdropped
    """
    with connect(settings, "owner") as connection:
        found: dict[str, str] = dict(connection.execute(query, (table,)).fetchall())
    return {name: kind.replace("timestamp with time zone", "timestamptz") for name, kind in found.items()}


def test_up_down_and_up_again_leave_the_same_schema(database: Settings) -> None:
    database = database.model_copy(update={"connect": database.connect.model_copy(update={"slot": "up_and_down"})})
    before = catalogue(database)
    assert all(before.values())
    downgrade(database)
    with connect(database, "owner") as connection:
        left = connection.execute(
            "select nspname from pg_namespace where nspname in ('shop', 'analytics', 'scores', 'truth')"
        ).fetchall()
    assert left == []
    migrate(database)
    assert catalogue(database) == before
    downgrade(database)
    with connect(database, "owner") as connection:
        slots = connection.execute("select slot_name from pg_replication_slots").fetchall()
    assert ("up_and_down",) not in slots


def test_a_recalibration_is_a_row_a_horizon_before_0014_and_one_from_then_on(database: Settings) -> None:
    def rows() -> list[tuple[object, ...]]:
        with connect(database, "owner") as connection:
            return connection.execute("select * from scores.recalibrations").fetchall()

    with connect(database, "owner") as connection:
        connection.execute("""with run as (
            insert into scores.model_runs (started_at, status, reason, duration_s, code_version)
            values (now(), 'published', '', 1, '0') returning run_id
        ) insert into scores.recalibrations (run_id, method, parameters) select run_id, 'beta', '{"a": 1}' from run""")
    before = rows()
    downgrade(database, "0013")
    with connect(database, "owner") as connection:
        days = connection.execute("select horizon_days, parameters from scores.recalibrations order by 1").fetchall()
    assert days == [(30, {"a": 1}), (60, {"a": 1}), (90, {"a": 1})]
    migrate(database)
    assert rows() == before and len(before) == 1


def test_a_second_migration_changes_nothing(database: Settings) -> None:
    before = catalogue(database)
    migrate(database)
    assert catalogue(database) == before


@pytest.mark.parametrize("role", ROLES)
def test_the_shops_columns_are_those_of_the_mapping(database: Settings, role: str) -> None:
    table = ShopNames().tables[role]
    assert set(types(database, f"shop.{table.name}")) == set(table.columns.values())


@pytest.mark.parametrize("role", ROLES)
def test_the_mirrors_columns_and_types_are_those_that_the_consumer_stages(database: Settings, role: str) -> None:
    found = types(database, f"analytics.{role}")
    found.pop("refunded", None)
    assert found == columns(role)


def test_the_score_columns_are_those_that_the_scorer_writes(database: Settings) -> None:
    written = {name: kind.replace("double", "double precision") for name, kind in SCORES.items()}
    assert types(database, "scores.customer_scores") == written
    assert types(database, "scores.purchase_models") == PURCHASE_MODELS
    assert types(database, "scores.recalibrations") == RECALIBRATIONS


ALLOWED = [
    ("simulator", "insert into shop.customers values (1, 'n', 'e', 'DE', 'web', now())"),
    ("simulator", "select * from truth.customers"),
    ("debezium", "select * from shop.transactions"),
    ("debezium", "insert into shop.heartbeat values (1, now())"),
    ("consumer", "delete from analytics.offsets"),
    ("scorer", "select * from analytics.customer_rfm"),
    ("scorer", "delete from scores.customer_scores"),
    ("reader", "select * from analytics.customer_rfm"),
    ("scorer", "delete from scores.purchase_models"),
    ("scorer", "delete from scores.recalibrations"),
    ("reader", "select * from scores.customer_scores"),
    ("reader", "select * from scores.purchase_models, scores.recalibrations, scores.in_force"),
    ("reader", "select * from scores.survival_by_plan, scores.retention_triangle"),
    ("scorer", "delete from scores.retention_forecast"),
    ("reader", "select * from scores.risk_now"),
    ("reader", "select scores.no_purchase(1, 45)"),
    ("scorer", "delete from scores.customer_purchases"),
    ("reader", "select * from shop.transactions"),
]
FORBIDDEN = [
    ("simulator", "select * from analytics.customer_rfm"),
    ("simulator", "select * from scores.customer_scores"),
    ("debezium", "select * from truth.customers"),
    ("debezium", "delete from shop.transactions"),
    ("debezium", "select * from analytics.transactions"),
    ("consumer", "select * from shop.transactions"),
    ("consumer", "select * from truth.customers"),
    ("consumer", "delete from scores.customer_scores"),
    ("scorer", "delete from analytics.transactions"),
    ("scorer", "select * from truth.customers"),
    ("reader", "select * from truth.customers"),
]


@pytest.mark.parametrize(("role", "statement"), ALLOWED)
def test_each_login_can_do_its_work(database: Settings, role: str, statement: str) -> None:
    with connect(database, role) as connection:
        connection.execute(statement)
        connection.rollback()


@pytest.mark.parametrize(("role", "statement"), FORBIDDEN)
def test_no_login_can_do_more(database: Settings, role: str, statement: str) -> None:
    with connect(database, role) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(statement)


def test_the_reader_cannot_write_even_where_it_can_read(database: Settings) -> None:
    with connect(database, "reader") as connection, pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        connection.execute("delete from analytics.dead_letters")


def test_debezium_is_shown_the_shop_and_nothing_of_the_truth(database: Settings) -> None:
    with connect(database, "owner") as connection:
        rows = connection.execute("select schemaname, tablename from pg_publication_tables").fetchall()
    expected = {("shop", name) for name in (*ROLES, "heartbeat", "debezium_signals")}
    assert set(rows) == expected


def test_the_slot_is_there_before_the_first_change(template: Settings) -> None:
    with connect(template, "owner") as connection:
        row = connection.execute(
            "select slot_name, plugin from pg_replication_slots where database = current_database()"
        ).fetchone()
    assert row == (template.connect.slot, "pgoutput")
