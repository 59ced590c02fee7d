"""judging: see migrations/sql/judging_up.sql."""

from __future__ import annotations

from alembic import op

from retentioncast.infra.migration_sql import migration_sql

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(migration_sql("judging_up"))


def downgrade() -> None:
    op.execute(migration_sql("judging_down"))
