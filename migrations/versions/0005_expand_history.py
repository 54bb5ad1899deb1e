"""History: pools by number, chunks of three tiers, what is due to be rolled up, peaks and histograms of the fleet."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_CHUNKS = ("chunk_raw", "chunk_minute", "chunk_hour")
_BLOBS = (
    *((name, "body") for name in (*_CHUNKS, "peak_hour", "quarantine")),
    ("fleet_hour", "total"),
    ("fleet_hour", "minutes"),
)


def upgrade() -> None:
    op.add_column(
        "hot",
        sa.Column(
            "is_settled",
            sa.Boolean(),
            nullable=False,
            server_default=sa.false(),
            comment="a chunk holds it, or never can",
        ),
    )
    op.create_table(
        "pool",
        sa.Column("id", _ROW_ID, nullable=False),
        sa.Column("host_id", _ROW_ID, nullable=False),
        sa.Column("netns", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("local", sa.LargeBinary(length=16), nullable=False),
        sa.Column("peer", sa.LargeBinary(length=16), nullable=False),
        sa.Column("peer_port", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["host_id"], ["host.id"], name="fk_pool_host_id"),
        sa.PrimaryKeyConstraint("id", name="pk_pool"),
        sa.UniqueConstraint("host_id", "netns", "kind", "local", "peer", "peer_port", name="uq_pool_identity"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_pool_peer_peer_port", "pool", ["peer", "peer_port"], unique=False)
    for name in _CHUNKS:
        op.create_table(
            name,
            sa.Column("host_id", sa.BigInteger(), nullable=False, autoincrement=False),
            sa.Column("from_ms", sa.BigInteger(), nullable=False, autoincrement=False),
            sa.Column("body", sa.LargeBinary(), nullable=False, comment="collector.history.codec"),
            sa.PrimaryKeyConstraint("host_id", "from_ms", name=f"pk_{name}"),
            postgresql_partition_by="RANGE (from_ms)",
        )
        op.create_index(f"ix_{name}_from_ms", name, ["from_ms"], unique=False)
    op.create_table(
        "roll_due",
        sa.Column(
            "tier", sa.SmallInteger(), nullable=False, autoincrement=False, comment="whose chunk is to be made anew"
        ),
        sa.Column("host_id", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("from_ms", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("due_ms", sa.BigInteger(), nullable=False, comment="not before"),
        sa.PrimaryKeyConstraint("tier", "host_id", "from_ms", name="pk_roll_due"),
    )
    op.create_index("ix_roll_due_due_ms", "roll_due", ["due_ms"], unique=False)
    op.create_table(
        "peak_hour",
        sa.Column("from_ms", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("block", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column(
            "body",
            sa.LargeBinary(),
            nullable=False,
            comment="collector.history.fleet: the peaks of a block of pools",
        ),
        sa.PrimaryKeyConstraint("from_ms", "block", name="pk_peak_hour"),
    )
    op.create_table(
        "fleet_hour",
        sa.Column("from_ms", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("total", sa.LargeBinary(), nullable=False, comment="pools by occupancy, summed over the minutes"),
        sa.Column("minutes", sa.LargeBinary(), nullable=False, comment="the same for each minute"),
        sa.PrimaryKeyConstraint("from_ms", name="pk_fleet_hour"),
    )
    op.create_table(
        "quarantine",
        sa.Column("id", _ROW_ID, nullable=False),
        sa.Column("tier", sa.SmallInteger(), nullable=False),
        sa.Column("host_id", sa.BigInteger(), nullable=False),
        sa.Column("from_ms", sa.BigInteger(), nullable=False),
        sa.Column("found_ms", sa.BigInteger(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False, comment="as it was found"),
        sa.PrimaryKeyConstraint("id", name="pk_quarantine"),
    )
    op.create_index("ix_quarantine_host_id_from_ms", "quarantine", ["host_id", "from_ms"], unique=False)
    if op.get_bind().dialect.name == "postgresql":
        for table, column in _BLOBS:  # They are compressed: the server would only try again, in vain.
            op.execute(f"ALTER TABLE {table} ALTER COLUMN {column} SET STORAGE EXTERNAL")


def downgrade() -> None:
    for table in ("quarantine", "fleet_hour", "peak_hour", "roll_due", *_CHUNKS, "pool"):
        op.drop_table(table)
    with op.batch_alter_table("hot") as batch:
        batch.drop_column("is_settled")
