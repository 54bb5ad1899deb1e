"""The first tables: hosts and their hot log, alerts and the notices they owe, tokens.

Spelled out, not taken from collector.storage.tables: a migration must go on making what it made.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "cursor",
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("hot_id", sa.BigInteger(), nullable=False, comment="everything up to here is done"),
        sa.PrimaryKeyConstraint("name", name="pk_cursor"),
    )
    op.create_table(
        "host",
        sa.Column("id", _ROW_ID, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("received", sa.BigInteger(), nullable=False, comment="distinct snapshots"),
        sa.Column("duplicates", sa.BigInteger(), nullable=False),
        sa.Column("missing", sa.BigInteger(), nullable=False, comment="gaps in seq within each boot"),
        sa.Column("last_seen_ms", sa.BigInteger(), nullable=False, comment="receive time of anything"),
        sa.Column("boot_id", sa.Text(), nullable=False, comment="this and the following: of the newest snapshot"),
        sa.Column("last_seq", sa.BigInteger(), nullable=False),
        sa.Column("latest_hot_id", sa.BigInteger(), nullable=False),
        sa.Column("latest_good_hot_id", sa.BigInteger(), nullable=False, comment="the newest that is not a failure"),
        sa.Column("latest_received_ms", sa.BigInteger(), nullable=False),
        sa.Column("latest_taken_ms", sa.BigInteger(), nullable=False, comment="never after latest_received_ms"),
        sa.Column("skew_ms", sa.BigInteger(), nullable=False, comment="the host's clock minus ours, transit included"),
        sa.Column("interval_ms", sa.BigInteger(), nullable=False),
        sa.Column("agent_version", sa.Text(), nullable=False),
        sa.Column("labels", sa.JSON(), nullable=False),
        sa.Column("failure", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_host"),
        sa.UniqueConstraint("name", name="uq_host_name"),
    )
    op.create_table(
        "token",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("scope", sa.String(length=8), nullable=False),
        sa.Column("host", sa.Text(), nullable=True, comment="the only host a push token may speak for; null: any"),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False, comment="sha256 of the secret part"),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("revoked_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_token"),
    )
    op.create_table(
        "alert",
        sa.Column("id", _ROW_ID, nullable=False),
        sa.Column("host_id", _ROW_ID, nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("severity", sa.String(length=16), nullable=False),
        sa.Column("netns", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("local", sa.LargeBinary(length=16), nullable=False),
        sa.Column("peer", sa.LargeBinary(length=16), nullable=False),
        sa.Column("peer_port", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("since_ms", sa.BigInteger(), nullable=False),
        sa.Column("hot_since_ms", sa.BigInteger(), nullable=True),
        sa.Column("fired_ms", sa.BigInteger(), nullable=True),
        sa.Column("at_ms", sa.BigInteger(), nullable=False, comment="when what follows was last known"),
        sa.Column("held", sa.Integer(), nullable=False),
        sa.Column("capacity", sa.Integer(), nullable=False),
        sa.Column("headroom_min", sa.Integer(), nullable=False),
        sa.Column("headroom_max", sa.Integer(), nullable=False),
        sa.Column("states", sa.JSON(), nullable=False),
        sa.Column("is_bound", sa.Boolean(), nullable=False, comment="held is an upper bound: the pool was not listed"),
        sa.ForeignKeyConstraint(["host_id"], ["host.id"], name="fk_alert_host_id"),
        sa.PrimaryKeyConstraint("id", name="pk_alert"),
        sa.UniqueConstraint("host_id", "rule", "netns", "kind", "local", "peer", "peer_port", name="uq_alert_subject"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_alert_state", "alert", ["state"], unique=False)
    op.create_table(
        "boot",
        sa.Column("host_id", _ROW_ID, nullable=False),
        sa.Column("boot_id", sa.Text(), nullable=False),
        sa.Column("first_seq", sa.BigInteger(), nullable=False),
        sa.Column("last_seq", sa.BigInteger(), nullable=False),
        sa.Column("received_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["host_id"], ["host.id"], name="fk_boot_host_id"),
        sa.PrimaryKeyConstraint("host_id", "boot_id", name="pk_boot"),
    )
    op.create_table(
        "hot",
        sa.Column("id", _ROW_ID, nullable=False),
        sa.Column("received_ms", sa.BigInteger(), nullable=False),
        sa.Column("taken_ms", sa.BigInteger(), nullable=False, comment="by the host's clock, never after received_ms"),
        sa.Column("host_id", _ROW_ID, nullable=False),
        sa.Column("boot_id", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("is_newest", sa.Boolean(), nullable=False, comment="nothing newer of this host had been received"),
        sa.Column("body", sa.LargeBinary(), nullable=False, comment="as received: shared.wire"),
        sa.ForeignKeyConstraint(["host_id"], ["host.id"], name="fk_hot_host_id"),
        sa.PrimaryKeyConstraint("id", name="pk_hot"),
        sa.UniqueConstraint("host_id", "boot_id", "seq", name="uq_hot_host_id_boot_id_seq"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_hot_host_id_taken_ms", "hot", ["host_id", "taken_ms"], unique=False)
    op.create_index("ix_hot_received_ms", "hot", ["received_ms"], unique=False)
    op.create_table(
        "outbox",
        sa.Column("id", _ROW_ID, nullable=False),
        sa.Column("key", sa.String(length=32), nullable=False, comment="names the notice to whoever receives it twice"),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("alert_id", _ROW_ID, nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_ms", sa.BigInteger(), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=True, comment="delivered or given_up; null: still owed"),
        sa.Column("closed_ms", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["alert_id"], ["alert.id"], name="fk_outbox_alert_id"),
        sa.PrimaryKeyConstraint("id", name="pk_outbox"),
        sa.UniqueConstraint("key", "channel", name="uq_outbox_key_channel"),
    )
    op.create_index("ix_outbox_alert_id", "outbox", ["alert_id"], unique=False)
    op.create_index(
        "ix_outbox_channel_outcome_next_attempt_ms", "outbox", ["channel", "outcome", "next_attempt_ms"], unique=False
    )
    op.create_table(
        "transition",
        sa.Column("id", _ROW_ID, nullable=False),
        sa.Column("alert_id", _ROW_ID, nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("before", sa.String(length=8), nullable=False),
        sa.Column("after", sa.String(length=8), nullable=False),
        sa.Column("held", sa.Integer(), nullable=False),
        sa.Column("capacity", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["alert_id"], ["alert.id"], name="fk_transition_alert_id"),
        sa.PrimaryKeyConstraint("id", name="pk_transition"),
    )
    op.create_index("ix_transition_alert_id", "transition", ["alert_id"], unique=False)
    op.create_index("ix_transition_at_ms", "transition", ["at_ms"], unique=False)
    op.create_table(
        "attempt",
        sa.Column("id", _ROW_ID, nullable=False),
        sa.Column("outbox_id", _ROW_ID, nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("succeeded", sa.Boolean(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["outbox_id"], ["outbox.id"], name="fk_attempt_outbox_id"),
        sa.PrimaryKeyConstraint("id", name="pk_attempt"),
    )
    op.create_index("ix_attempt_outbox_id", "attempt", ["outbox_id"], unique=False)
    op.bulk_insert(sa.table("cursor", sa.column("name"), sa.column("hot_id")), [{"name": "evaluation", "hot_id": 0}])


def downgrade() -> None:
    for table in ("attempt", "transition", "outbox", "hot", "boot", "alert", "cursor", "host", "token"):
        op.drop_table(table)
