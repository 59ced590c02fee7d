"""The replication slot: made here, before Debezium first asks, so that no change of the shop can be missed.

Slots are the server's, not the database's: one of this name that belongs to another database is an error.
"""

from __future__ import annotations

from alembic import context, op
from sqlalchemy import text

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_MAKE = """
select pg_create_logical_replication_slot(:slot, 'pgoutput')
where not exists (select from pg_replication_slots where slot_name = :slot and database = current_database())
"""
_DROP = """
select pg_drop_replication_slot(slot_name) from pg_replication_slots
where slot_name = :slot and database = current_database()
"""


def _run(statement: str) -> None:
    slot = context.config.attributes["settings"].connect.slot
    if slot:
        with op.get_context().autocommit_block():
            op.get_bind().execute(text(statement).bindparams(slot=slot))


def upgrade() -> None:
    _run(_MAKE)


def downgrade() -> None:
    _run(_DROP)
