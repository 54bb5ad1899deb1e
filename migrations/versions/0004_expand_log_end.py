"""Where the log ends: its writers take ids from here instead of asking for each row's."""

from alembic import op

revision = "0004"
down_revision = "0003"

_END = {
    "sqlite": "SELECT max(coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'hot'), 0), {max})",
    "postgresql": "SELECT greatest(CASE WHEN is_called THEN last_value ELSE 0 END, {max}) FROM hot_id_seq",
}


def upgrade() -> None:
    """No id that was ever given out may be given out again, also where its row is gone."""
    end = _END[op.get_bind().dialect.name].format(max="(SELECT coalesce(max(id), 0) FROM hot)")
    op.execute(f"INSERT INTO cursor (name, hot_id) VALUES ('log end', ({end}))")  # noqa: S608 - our own text


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("SELECT setval('hot_id_seq', greatest(1, hot_id)) FROM cursor WHERE name = 'log end'")
    else:
        op.execute("DELETE FROM sqlite_sequence WHERE name = 'hot'")
        op.execute("INSERT INTO sqlite_sequence SELECT 'hot', hot_id FROM cursor WHERE name = 'log end'")
    op.execute("DELETE FROM cursor WHERE name = 'log end'")
