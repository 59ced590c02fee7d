"""segment_values: see migrations/sql/segment_values_up.sql."""

from __future__ import annotations

from alembic import op

from retentioncast.infra.migration_sql import migration_sql

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(migration_sql("segment_values_up"))


def downgrade() -> None:
    op.execute(migration_sql("segment_values_down"))
