"""shop: see migrations/sql/shop_up.sql."""

from __future__ import annotations

from alembic import op

from retentioncast.infra.migration_sql import migration_sql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(migration_sql("shop_up"))


def downgrade() -> None:
    op.execute(migration_sql("shop_down"))
