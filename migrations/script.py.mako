"""${message}"""

from __future__ import annotations

from alembic import op

from retentioncast.infra.migration_sql import migration_sql

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = ${repr(branch_labels)}
depends_on = ${repr(depends_on)}


def upgrade() -> None:
    op.execute(migration_sql("${message}_up"))


def downgrade() -> None:
    op.execute(migration_sql("${message}_down"))
