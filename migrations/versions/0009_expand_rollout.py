"""The fleet's configuration: its revisions as they are rolled out, and what agents tell of themselves."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

_STATE = "shared.model.AgentState but for cpu_ms; null: its agent does not tell it"


def upgrade() -> None:
    with op.batch_alter_table("host") as batch:
        batch.add_column(sa.Column("state", sa.JSON(), comment=_STATE))
        comment = "of the agent's process since it started"
        batch.add_column(sa.Column("cpu_ms", sa.BigInteger(), nullable=False, server_default="0", comment=comment))
    op.create_table(
        "rollout",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
            comment="the revision that it brings",
        ),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False, comment="0: canaries; n: the n-th percentage"),
        sa.Column("step_ms", sa.BigInteger(), nullable=False, comment="since when"),
        sa.Column("why", sa.Text(), nullable=False, comment="of a halt"),
        sa.Column(
            "plan", sa.JSON(), nullable=False, comment="collector.rollout.plan: author, reason, where, settings, …"
        ),
        sa.Column("baseline", sa.JSON(), nullable=False, comment="by host: how it was when it was given the revision"),
        sa.PrimaryKeyConstraint("id", name="pk_rollout"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_rollout_state", "rollout", ["state"])


def downgrade() -> None:
    op.drop_table("rollout")
    with op.batch_alter_table("host") as batch:
        for name in ("state", "cpu_ms"):
            batch.drop_column(name)
