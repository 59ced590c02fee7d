"""truth: see migrations/sql/truth_up.sql."""

from __future__ import annotations

from alembic import op

from retentioncast.infra.migration_sql import migration_sql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(migration_sql("truth_up"))


def downgrade() -> None:
    op.execute(migration_sql("truth_down"))
