"""risk_now: see migrations/sql/risk_now_up.sql."""

from __future__ import annotations

from alembic import op

from retentioncast.infra.migration_sql import migration_sql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(migration_sql("risk_now_up"))


def downgrade() -> None:
    op.execute(migration_sql("risk_now_down"))
