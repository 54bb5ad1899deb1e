"""Alerts about more than pools: hosts, backends, roles, the fleet, channels. Rounds of the evaluation are counted.

The rows of alerts are few (only what was hot once), so they are read, the tables made anew, and the rows put back: what
fires goes on firing, and what is owed stays owed.
"""

import hashlib
import ipaddress
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_SEVERITIES = {"warning": "plan", "critical": "page"}


def upgrade() -> None:
    with op.batch_alter_table("cursor") as batch:
        batch.add_column(
            sa.Column(
                "round", sa.BigInteger(), nullable=False, server_default="0", comment="rounds written down; fences them"
            )
        )
    kept = {name: _rows(name) for name in ("alert", "transition", "outbox", "attempt")}
    hosts = {row["id"]: row["name"] for row in _rows("host")}
    for name in ("attempt", "outbox", "transition", "alert"):
        op.drop_table(name)
    _make_alert()
    _make_transition()
    _make_outbox()
    _put("alert", [_upgraded(row, hosts[row["host_id"]]) for row in kept["alert"]])
    for name in ("transition", "outbox", "attempt"):
        _put(name, kept[name])


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


def _upgraded(row: dict[str, Any], host: str) -> dict[str, Any]:
    same = ("id", "rule", "netns", "kind", "local", "peer", "peer_port", "state", "since_ms", "hot_since_ms")
    counts = [row[name] for name in ("held", "capacity", "headroom_min", "headroom_max")]
    return {
        **{name: row[name] for name in (*same, "fired_ms", "at_ms")},
        "key": _key(row, host),
        "severity": _SEVERITIES.get(row["severity"], row["severity"]),
        "scope": "pool",
        "name": host,
        "role": "",
        "calm_since_ms": None,
        "flaps": 0,
        "last_fired_ms": row["fired_ms"] or 0,
        "occupancy": min(1.0, row["held"] / row["capacity"]) if row["capacity"] else 1.0,
        "seen": {
            "facts": {},
            "counts": [*counts, 0],
            "states": row["states"],
            "owner": "",
            "knee": None,
            "is_bound": bool(row["is_bound"]),
        },
    }


def _key(row: dict[str, Any], host: str) -> str:
    local, peer = (str(ipaddress.ip_address(row[name])) if row[name] else "" for name in ("local", "peer"))
    parts = (host, row["rule"], row["netns"], row["kind"], local, peer, row["peer_port"])
    return hashlib.sha256("\n".join(map(repr, parts)).encode()).hexdigest()[:32]


def _make_alert() -> None:
    op.create_table(
        "alert",
        sa.Column("id", _ROW_ID, nullable=False),
        sa.Column("key", sa.String(length=32), nullable=False, comment="of the rule and its subject, for good"),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("severity", sa.String(length=16), nullable=False),
        sa.Column("scope", sa.String(length=8), nullable=False, comment="what the subject is: pool, host, peer, …"),
        sa.Column("name", sa.Text(), nullable=False, comment="of the host, peer, role or channel"),
        sa.Column("role", sa.Text(), nullable=False, comment="of its host, when last seen"),
        sa.Column("netns", sa.Text(), comment="this and the following: of a pool"),
        sa.Column("kind", sa.String(length=16)),
        sa.Column("local", sa.LargeBinary(length=16)),
        sa.Column("peer", sa.LargeBinary(length=16)),
        sa.Column("peer_port", sa.Integer()),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("since_ms", sa.BigInteger(), nullable=False),
        sa.Column("hot_since_ms", sa.BigInteger()),
        sa.Column("fired_ms", sa.BigInteger()),
        sa.Column("calm_since_ms", sa.BigInteger()),
        sa.Column("flaps", sa.Integer(), nullable=False),
        sa.Column("last_fired_ms", sa.BigInteger(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False, comment="when what follows was last known"),
        sa.Column("occupancy", sa.Float(), nullable=False, comment="of a pool; 0 of anything else"),
        sa.Column("seen", sa.JSON(), nullable=False, comment="the reading, or the facts"),
        sa.PrimaryKeyConstraint("id", name="pk_alert"),
        sa.UniqueConstraint("key", name="uq_alert_key"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_alert_state", "alert", ["state"], unique=False)
    op.create_index("ix_alert_name", "alert", ["name"], unique=False)


def _make_transition() -> None:
    op.create_table(
        "transition",
        sa.Column("id", _ROW_ID, nullable=False),
        sa.Column("alert_id", _ROW_ID, nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("before", sa.String(length=8), nullable=False),
        sa.Column("after", sa.String(length=8), nullable=False),
        sa.Column("held", sa.Integer(), nullable=True, comment="of a pool"),
        sa.Column("capacity", sa.Integer(), nullable=True, comment="of a pool"),
        sa.ForeignKeyConstraint(["alert_id"], ["alert.id"], name="fk_transition_alert_id"),
        sa.PrimaryKeyConstraint("id", name="pk_transition"),
    )
    op.create_index("ix_transition_alert_id", "transition", ["alert_id"], unique=False)
    op.create_index("ix_transition_at_ms", "transition", ["at_ms"], unique=False)


def _make_outbox() -> None:
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
    """Alerts begin anew: the older program knows nothing of their subjects."""
    for name in ("attempt", "outbox", "transition", "alert"):
        op.drop_table(name)
    op.create_table(
        "alert",
        sa.Column("id", _ROW_ID, primary_key=True),
        sa.Column("host_id", _ROW_ID, sa.ForeignKey("host.id", name="fk_alert_host_id"), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("rule", "severity", "netns", "kind", "state")),
        *(sa.Column(name, sa.LargeBinary(length=16), nullable=False) for name in ("local", "peer")),
        sa.Column("peer_port", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in ("since_ms", "at_ms")),
        *(sa.Column(name, sa.BigInteger()) for name in ("hot_since_ms", "fired_ms")),
        *(
            sa.Column(name, sa.Integer(), nullable=False)
            for name in ("held", "capacity", "headroom_min", "headroom_max")
        ),
        sa.Column("states", sa.JSON(), nullable=False),
        sa.Column("is_bound", sa.Boolean(), nullable=False),
        sa.UniqueConstraint("host_id", "rule", "netns", "kind", "local", "peer", "peer_port", name="uq_alert_subject"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_alert_state", "alert", ["state"], unique=False)
    _make_transition()
    _make_outbox()
    with op.batch_alter_table("cursor") as batch:
        batch.drop_column("round")
