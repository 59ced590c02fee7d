"""All of risk_now sooner under every family; one recalibration for all horizons: see migrations/sql/risk_up.sql.

The counts of customers' purchases begin anew: the scorer's next run has them.
"""

from __future__ import annotations

from alembic import op

from retentioncast.infra.migration_sql import migration_sql

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("leaving_down", "risk_now_down", "one_curve_up", "risk_up"):
        op.execute(migration_sql(name))


def downgrade() -> None:
    for name in ("risk_down", "risk_now_up", "published_models_up", "leaving_up"):
        op.execute(migration_sql(name))
