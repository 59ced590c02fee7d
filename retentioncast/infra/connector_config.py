"""Fills debezium/connector.json, the one description of our connector, from the settings."""

from __future__ import annotations

import json
import re
from pathlib import Path
from string import Template

from retentioncast.core.errors import StackError
from retentioncast.core.shop import ROLES, UNAVAILABLE, ShopNames
from retentioncast.infra.postgres import login
from retentioncast.infra.settings import Settings

TEMPLATE = Path(__file__).resolve().parents[2] / "debezium" / "connector.json"
HEARTBEAT_TABLE = "heartbeat"
SIGNAL_TABLE = "debezium_signals"


def render_connector(settings: Settings, names: ShopNames | None = None) -> dict[str, str]:
    """The connector's configuration as Connect wants it: setting -> value, both text. Holds a password."""
    values = _values(settings, names or ShopNames())
    template: dict[str, str] = json.loads(TEMPLATE.read_text(encoding="utf-8"))
    try:
        return {name: Template(value).substitute(values) for name, value in template.items()}
    except (KeyError, ValueError) as error:
        raise StackError(
            f"debezium/connector.json has a placeholder that nothing fills: {error}.",
            f"Known are: {', '.join(sorted(values))}.",
        ) from error


def qualified(names: ShopNames, roles: tuple[str, ...] = ROLES) -> list[str]:
    """The tables of these roles as Debezium names them: schema.table."""
    return [f"{names.schema}.{names.tables[role].name}" for role in roles]


def _values(settings: Settings, names: ShopNames) -> dict[str, str]:
    postgres, connect = settings.postgres, settings.connect
    tables = [re.escape(table) for table in qualified(names)]
    return {
        "database_host": connect.database_host or postgres.host,
        "database_port": str(connect.database_port or postgres.port),
        "database_name": postgres.database,
        "database_user": login(settings, "debezium"),
        "database_password": postgres.passwords.debezium.get_secret_value(),
        "slot": connect.slot,
        "publication": connect.publication,
        "topic_prefix": settings.kafka.topic_prefix,
        "partitions": str(settings.kafka.partitions),
        "captured_tables": ",".join(tables),
        "topic_pattern": rf"{re.escape(settings.kafka.topic_prefix)}\.({'|'.join(tables)})",
        "heartbeat_table": f"{names.schema}.{HEARTBEAT_TABLE}",
        "signal_table": f"{names.schema}.{SIGNAL_TABLE}",
        "unavailable": UNAVAILABLE,
    }
