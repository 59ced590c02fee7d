"""All of risk_now sooner under Gamma-Gompertz/NBD: see migrations/sql/leaving_up.sql."""

from __future__ import annotations

from alembic import op

from retentioncast.infra.migration_sql import migration_sql

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(migration_sql("leaving_up"))


def downgrade() -> None:
    op.execute(migration_sql("leaving_down"))
