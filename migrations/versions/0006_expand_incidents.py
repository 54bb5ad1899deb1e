"""Incidents and silences. What is owed hangs on a thread, not on an alert.

Alerts that fire while this runs belong to no incident yet: they are told once more, as what they have become part of.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

_ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    _make_incident()
    _make_silence()
    keys = {row["id"]: row["key"] for row in _rows("alert")}
    owed = [{**row, "thread": keys[row["alert_id"]]} for row in _rows("outbox")]
    tried = _rows("attempt")
    for name in ("attempt", "outbox"):
        op.drop_table(name)
    _make_outbox(sa.Column("thread", sa.String(length=32), nullable=False, comment=_THREAD))
    op.create_index("ix_outbox_thread", "outbox", ["thread"], unique=False)
    _put("outbox", [{name: value for name, value in row.items() if name != "alert_id"} for row in owed])
    _put("attempt", tried)


_THREAD = "notices of one thread are told in their order"


def _rows(name: str) -> list[dict[str, Any]]:
    table = sa.Table(name, sa.MetaData(), autoload_with=op.get_bind())
    return [dict(row._mapping) for row in op.get_bind().execute(sa.select(table))]  # noqa: SLF001 - SQLAlchemy's name


def _put(name: str, rows: list[dict[str, Any]]) -> None:
    if rows:
        table = sa.Table(name, sa.MetaData(), autoload_with=op.get_bind())
        op.get_bind().execute(sa.insert(table), rows)
        if op.get_bind().dialect.name == "postgresql":  # Ids that were given do not move the sequence on.
            most = max(row["id"] for row in rows)
            op.execute(sa.text(f"SELECT setval(pg_get_serial_sequence('{name}', 'id'), {most})"))


def _make_incident() -> None:
    op.create_table(
        "incident",
        sa.Column("id", _ROW_ID, nullable=False),
        sa.Column("key", sa.String(length=32), nullable=False, comment="the same from its first notice to its last"),
        sa.Column("severity", sa.String(length=16), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("opened_ms", sa.BigInteger(), nullable=False),
        sa.Column("told_ms", sa.BigInteger(), comment="when people were last told; null: hidden so far"),
        sa.Column("tellings", sa.Integer(), nullable=False),
        sa.Column("told_hosts", sa.Integer(), nullable=False),
        sa.Column("channels", sa.JSON(), nullable=False, comment="who was told, and will be told of the end"),
        sa.Column(
            "lead", sa.String(length=32), nullable=False, comment="key of the alert that stood for all when last told"
        ),
        sa.Column("closed_ms", sa.BigInteger()),
        sa.PrimaryKeyConstraint("id", name="pk_incident"),
        sa.UniqueConstraint("key", name="uq_incident_key"),
    )
    op.create_index("ix_incident_closed_ms", "incident", ["closed_ms"], unique=False)


def _make_silence() -> None:
    op.create_table(
        "silence",
        sa.Column("id", _ROW_ID, nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("starts_ms", sa.BigInteger(), nullable=False),
        sa.Column("ends_ms", sa.BigInteger(), nullable=False),
        sa.Column("matchers", sa.Text(), nullable=False, comment="as JSON: where, rule, severity"),
        sa.PrimaryKeyConstraint("id", name="pk_silence"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_silence_ends_ms", "silence", ["ends_ms"], unique=False)


def _make_outbox(*more: sa.Column[Any]) -> None:
    op.create_table(
        "outbox",
        sa.Column("id", _ROW_ID, nullable=False),
        sa.Column("key", sa.String(length=32), nullable=False, comment="names the notice to whoever receives it twice"),
        sa.Column("channel", sa.Text(), nullable=False),
        *more,
        sa.Column("document", sa.JSON(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_ms", sa.BigInteger(), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=True, comment="delivered or given_up; null: still owed"),
        sa.Column("closed_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_outbox"),
        sa.UniqueConstraint("key", "channel", name="uq_outbox_key_channel"),
    )
    op.create_index(
        "ix_outbox_channel_outcome_next_attempt_ms", "outbox", ["channel", "outcome", "next_attempt_ms"], unique=False
    )
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


def downgrade() -> None:
    """What is owed is given up: the older program cannot say to which alert it belongs."""
    for name in ("attempt", "outbox", "silence", "incident"):
        op.drop_table(name)
    alert_id = sa.Column("alert_id", _ROW_ID, sa.ForeignKey("alert.id", name="fk_outbox_alert_id"), nullable=False)
    _make_outbox(alert_id)
    op.create_index("ix_outbox_alert_id", "outbox", ["alert_id"], unique=False)
