"""Tokens that expire, are renewed, and let hosts in; and a record of who did what."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

_ROLE = "the only role a join token lets in; of a push token: as what its host was let in"
_ADDED = (
    ("expires_ms", sa.BigInteger, "null: never"),
    ("renew_ms", sa.BigInteger, "from when on its agent is asked to exchange it"),
    ("uses_left", sa.Integer, "of a join token"),
    ("role", sa.Text, _ROLE),
    ("life_ms", sa.BigInteger, "of the push tokens that come of it; null: for good"),
)


def upgrade() -> None:
    with op.batch_alter_table("token") as batch:
        for name, kind, told in _ADDED:
            batch.add_column(sa.Column(name, kind(), comment=told))
        batch.create_index("ix_token_host", ["host"])
    op.create_table(
        "audit",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False, comment="a user at a terminal, or a token by its id"),
        sa.Column("action", sa.String(32), nullable=False),
        sa.Column("host", sa.Text(), comment="whom it is about; null: nobody, or all"),
        sa.Column("detail", sa.JSON(), nullable=False, comment="never a secret"),
        sa.PrimaryKeyConstraint("id", name="pk_audit"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_audit_at_ms", "audit", ["at_ms"])
    op.create_index("ix_audit_host", "audit", ["host"])


def downgrade() -> None:
    op.drop_table("audit")
    with op.batch_alter_table("token") as batch:
        batch.drop_index("ix_token_host")
        for name, _, _ in _ADDED:
            batch.drop_column(name)
