"""Which machine speaks under a host's name, so that two of them are found out."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

_NUMBERS = {"machine_since_ms": None, "contested_ms": "two machines by turns; 0: never"}


def upgrade() -> None:
    with op.batch_alter_table("host") as batch:
        comment = "hashed by its agent; empty: not told"
        batch.add_column(sa.Column("machine_id", sa.Text(), nullable=False, server_default="", comment=comment))
        for name, told in _NUMBERS.items():
            batch.add_column(sa.Column(name, sa.BigInteger(), nullable=False, server_default="0", comment=told))


def downgrade() -> None:
    with op.batch_alter_table("host") as batch:
        for name in ("machine_id", *_NUMBERS):
            batch.drop_column(name)
