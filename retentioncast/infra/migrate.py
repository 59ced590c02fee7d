"""Brings the database to this code's schema: alembic's migrations, then the roles' passwords."""

from __future__ import annotations

import logging

from alembic import command
from alembic.config import Config
from psycopg import sql
from sqlalchemy import URL

from retentioncast.core.clock import Clock
from retentioncast.core.errors import StackError
from retentioncast.infra.migration_sql import FOLDER
from retentioncast.infra.postgres import connect, connect_until, login
from retentioncast.infra.settings import ROLES, Settings

logger = logging.getLogger(__name__)

#: RETURNING old.*, new.* is what the consumer's batch statement stands on.
OLDEST_POSTGRES = 18


def owner_url(settings: Settings) -> URL:
    """SQLAlchemy's address of the database for the owner."""
    postgres = settings.postgres
    password = postgres.passwords.owner.get_secret_value()
    return URL.create(
        "postgresql+psycopg", login(settings, "owner"), password, postgres.host, postgres.port, postgres.database
    )


def migrate(settings: Settings, target: str = "head", wait_s: float = 60.0, clock: Clock | None = None) -> None:
    """Upgrade to `target`, then give each role its password. Can be run again at any time."""
    _check_server(settings, wait_s, clock)
    command.upgrade(_config(settings), target)
    set_passwords(settings)
    logger.info("The schema is at %s.", target, extra={"action": "migrate"})


def downgrade(settings: Settings, target: str = "base") -> None:
    """Take the schema back to `target`; what the dropped tables held is gone."""
    command.downgrade(_config(settings), target)


def set_passwords(settings: Settings) -> None:
    """Give each role but the owner the password of the settings."""
    with connect(settings, "owner", autocommit=True) as connection:
        for role in ROLES:
            if role != "owner":
                secret = getattr(settings.postgres.passwords, role).get_secret_value()
                statement = sql.SQL("alter role {} password {}")
                connection.execute(statement.format(sql.Identifier(login(settings, role)), sql.Literal(secret)))


def _check_server(settings: Settings, wait_s: float, clock: Clock | None) -> None:
    with connect_until(settings, "owner", wait_s, clock) as connection:
        version = connection.info.server_version // 10_000
        level = connection.execute("show wal_level").fetchone()
    if version < OLDEST_POSTGRES:
        raise StackError(
            f"This is Postgres {version}; the analytics database must be {OLDEST_POSTGRES} or later.",
            "Point postgres.host and postgres.port at a newer server.",
        )
    if settings.connect.slot and level != ("logical",):
        raise StackError(
            f"wal_level is {level[0] if level else '?'}; change data capture needs `logical`.",
            "Set wal_level = logical in postgresql.conf and restart the server.",
        )


def _config(settings: Settings) -> Config:
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    config.attributes["settings"] = settings
    return config
