"""analytics: see migrations/sql/analytics_up.sql."""

from __future__ import annotations

from alembic import op

from retentioncast.infra.migration_sql import migration_sql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(migration_sql("analytics_up"))


def downgrade() -> None:
    op.execute(migration_sql("analytics_down"))
