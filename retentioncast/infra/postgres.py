"""Connections to Postgres: one login a role, waited for when the database is not there yet."""

from __future__ import annotations

import logging
from typing import Any
from urllib.parse import quote

import psycopg

from retentioncast.core.clock import Clock, SystemClock
from retentioncast.core.errors import InvalidInput, Retry
from retentioncast.infra.settings import ROLES, Settings

logger = logging.getLogger(__name__)


def login(settings: Settings, role: str) -> str:
    """The login name of a role: the owner is the prefix itself."""
    prefix = settings.postgres.role_prefix
    return prefix if role == "owner" else f"{prefix}_{role}"


def dsn(settings: Settings, role: str = "reader") -> str:
    """A connection URI for psql and any other client, password included."""
    if role not in ROLES:
        raise InvalidInput(f"There is no role {role!r}.", f"Choose one of: {', '.join(ROLES)}.")
    postgres = settings.postgres
    secret = quote(getattr(postgres.passwords, role).get_secret_value(), safe="")
    return f"postgresql://{login(settings, role)}:{secret}@{postgres.host}:{postgres.port}/{postgres.database}"


def connect(settings: Settings, role: str, **kwargs: Any) -> psycopg.Connection:
    """An open connection as this role; Retry when the server does not answer or refuses the login."""
    try:
        return psycopg.connect(
            dsn(settings, role),
            connect_timeout=settings.postgres.connect_timeout_s,
            **{"application_name": f"retentioncast-{role}", **kwargs},
        )
    except psycopg.OperationalError as error:
        where = f"{settings.postgres.host}:{settings.postgres.port}/{settings.postgres.database}"
        reason = str(error).strip().splitlines()[-1]
        raise Retry(
            f"Postgres at {where} does not let {login(settings, role)} in: {reason}.",
            "See `retentioncast status`; start it with `retentioncast up`.",
        ) from error


def connect_until(
    settings: Settings, role: str, deadline_s: float, clock: Clock | None = None, **kwargs: Any
) -> psycopg.Connection:
    """Like `connect`, but tries again with back-off until so many seconds have passed."""
    clock = clock or SystemClock()
    give_up, pause = clock.monotonic_s() + deadline_s, 0.1
    while True:
        try:
            return connect(settings, role, **kwargs)
        except Retry as error:
            if clock.monotonic_s() + pause > give_up:
                raise
            logger.warning("%s Trying again in %.1f s.", error.message, pause, extra={"action": "connect"})
            clock.sleep(pause)
            pause = min(pause * 2, 5.0)
