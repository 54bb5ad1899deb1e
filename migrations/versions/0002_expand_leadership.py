"""Who leads: the number of the present term, which every transaction of a leader holds."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    table = op.create_table(
        "leadership",
        sa.Column("id", sa.Integer(), nullable=False, comment="there is one row"),
        sa.Column("epoch", sa.BigInteger(), nullable=False, comment="the number of the present term"),
        sa.Column("holder", sa.Text(), nullable=False, comment="who leads, for people"),
        sa.Column("beats", sa.BigInteger(), nullable=False, comment="counted up while its leader is alive"),
        sa.PrimaryKeyConstraint("id", name="pk_leadership"),
    )
    op.bulk_insert(table, [{"id": 1, "epoch": 0, "holder": "", "beats": 0}])


def downgrade() -> None:
    op.drop_table("leadership")
