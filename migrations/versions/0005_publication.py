"""publication: see migrations/sql/publication_up.sql."""

from __future__ import annotations

from alembic import op

from retentioncast.infra.migration_sql import migration_sql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(migration_sql("publication_up"))


def downgrade() -> None:
    op.execute(migration_sql("publication_down"))
