"""survival: see migrations/sql/survival_up.sql."""

from __future__ import annotations

from alembic import op

from retentioncast.infra.migration_sql import migration_sql

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(migration_sql("survival_up"))


def downgrade() -> None:
    op.execute(migration_sql("survival_down"))
