"""Rules that were made by the API."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.create_table(
        "rule",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("document", sa.JSON(), nullable=False, comment="collector.alerts.rules.Rule, as it was given"),
        sa.Column("author", sa.Text(), nullable=False, comment="a token by its id"),
        sa.Column("changed_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_rule"),
    )


def downgrade() -> None:
    op.drop_table("rule")
