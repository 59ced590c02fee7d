"""Calibration by tenth of every contender of a backtest: see migrations/sql/backtest_deciles_up.sql."""

from __future__ import annotations

from alembic import op

from retentioncast.infra.migration_sql import migration_sql

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(migration_sql("backtest_deciles_up"))


def downgrade() -> None:
    op.execute(migration_sql("backtest_deciles_down"))
