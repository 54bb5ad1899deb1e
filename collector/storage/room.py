"""How much room the database takes."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import text

from collector.storage.database import AsyncConnection
from collector.storage.tables import metadata


@dataclass(frozen=True, slots=True)
class Taken:
    """Bytes in all; of these free to be written again; and by table, where the database can tell."""

    total: int
    free: int = 0
    tables: Mapping[str, int] = field(default_factory=dict)


async def taken(db: AsyncConnection) -> Taken:
    """What it takes now. On SQLite the file without its write-ahead log, which stays small."""
    if db.dialect.name != "postgresql":
        pages, unused, size = [
            int((await db.execute(text(f"PRAGMA {name}"))).scalar_one())
            for name in ("page_count", "freelist_count", "page_size")
        ]
        return Taken(pages * size, unused * size)
    # A partitioned table has no room of its own: its partitions are added up.
    rows = await db.execute(
        text(
            "SELECT coalesce(parent.relname, own.relname) AS name, sum(pg_total_relation_size(own.oid)) AS size"
            " FROM pg_class own LEFT JOIN pg_inherits ON inhrelid = own.oid"
            " LEFT JOIN pg_class parent ON parent.oid = inhparent"
            " WHERE own.relkind = 'r' AND own.relnamespace = current_schema()::regnamespace GROUP BY 1"
        )
    )
    tables = {row.name: int(row.size) for row in rows if row.name in metadata.tables}
    total = (await db.execute(text("SELECT pg_database_size(current_database())"))).scalar_one()
    return Taken(int(total), 0, tables)
