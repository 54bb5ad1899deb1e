"""When a pool was last seen, so that its number can be forgotten with its history; hosts that were forgotten."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    # Null, not a time: a leader of the version before goes on adding pools, and knows nothing of this column.
    comment = "no chunk that names it ends later, to the day; null: not known yet"
    op.add_column("pool", sa.Column("last_ms", sa.BigInteger(), comment=comment))
    op.create_index("ix_pool_last_ms", "pool", ["last_ms"])
    comment = "when it was said to be no more; null: it is"
    op.add_column("host", sa.Column("forgotten_ms", sa.BigInteger(), comment=comment))


def downgrade() -> None:
    with op.batch_alter_table("host") as batch:
        batch.drop_column("forgotten_ms")
    op.drop_index("ix_pool_last_ms", "pool")
    with op.batch_alter_table("pool") as batch:
        batch.drop_column("last_ms")
