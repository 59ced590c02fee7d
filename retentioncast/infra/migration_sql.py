"""The statements of a migration, with the names that the settings choose put in."""

from __future__ import annotations

from pathlib import Path

from alembic import context

FOLDER = Path(__file__).resolve().parents[2] / "migrations"


def migration_sql(name: str) -> str:
    """The text of migrations/sql/<name>.sql; role prefix, database and publication are identifiers by validation."""
    settings = context.config.attributes["settings"]
    text = (FOLDER / "sql" / f"{name}.sql").read_text(encoding="utf-8")
    names = {
        "prefix": settings.postgres.role_prefix,
        "database": f'"{settings.postgres.database}"',
        "publication": settings.connect.publication,
    }
    for key, value in names.items():
        text = text.replace("{" + key + "}", value)
    # SQLAlchemy reads `:name` as a parameter; no statement of ours has one.
    return text.replace(":", r"\:")
