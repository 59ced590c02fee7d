"""roles: see migrations/sql/roles_up.sql."""

from __future__ import annotations

from alembic import op

from retentioncast.infra.migration_sql import migration_sql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(migration_sql("roles_up"))


def downgrade() -> None:
    op.execute(migration_sql("roles_down"))
