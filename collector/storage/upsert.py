"""INSERT … ON CONFLICT, which SQLite and PostgreSQL share, and SQLAlchemy spells once for each."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite

from collector.storage.database import AsyncConnection

Rows = Sequence[Mapping[str, Any]]


async def put(db: AsyncConnection, table: Table, rows: Rows) -> None:
    """Insert rows; where a row of the same primary key is there, it becomes this one."""
    await _insert(db, table, rows, is_replacing=True)


async def add(db: AsyncConnection, table: Table, rows: Rows) -> None:
    """Insert rows; what is there already (by any unique key) stays as it is."""
    await _insert(db, table, rows, is_replacing=False)


async def _insert(db: AsyncConnection, table: Table, rows: Rows, *, is_replacing: bool) -> None:
    if not rows:
        return
    made: Any = (postgresql if db.dialect.name == "postgresql" else sqlite).insert(table)
    if is_replacing:
        keys = {column.name for column in table.primary_key}
        changed = {name: made.excluded[name] for name in rows[0] if name not in keys}
        made = made.on_conflict_do_update(index_elements=list(table.primary_key), set_=changed)
    else:
        made = made.on_conflict_do_nothing()
    await db.execute(made, list(rows))
