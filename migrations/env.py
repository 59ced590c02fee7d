"""Runs the migrations against the database of the settings, as the owner."""

from __future__ import annotations

from alembic import context
from sqlalchemy import create_engine, pool

from retentioncast.infra.migrate import owner_url
from retentioncast.infra.settings import load_settings

settings = context.config.attributes.setdefault("settings", None) or load_settings()
context.config.attributes["settings"] = settings

engine = create_engine(owner_url(settings), poolclass=pool.NullPool)
with engine.connect() as connection:
    context.configure(connection=connection, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()
