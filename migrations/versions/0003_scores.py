"""scores: see migrations/sql/scores_up.sql."""

from __future__ import annotations

from alembic import op

from retentioncast.infra.migration_sql import migration_sql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(migration_sql("scores_up"))


def downgrade() -> None:
    op.execute(migration_sql("scores_down"))
