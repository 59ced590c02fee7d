"""purchase_models: see migrations/sql/purchase_models_up.sql."""

from __future__ import annotations

from alembic import op

from retentioncast.infra.migration_sql import migration_sql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(migration_sql("purchase_models_up"))


def downgrade() -> None:
    op.execute(migration_sql("purchase_models_down"))
