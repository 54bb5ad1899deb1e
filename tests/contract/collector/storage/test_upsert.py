"""Insert or replace, on both databases."""

from sqlalchemy import select

from collector.storage import tables, upsert
from collector.storage.database import Database

due = tables.roll_due


def a_row(due_ms: int) -> dict[str, int]:
    return {"tier": 1, "host_id": 1, "from_ms": 0, "due_ms": due_ms}


async def test_what_is_there_is_replaced_or_stays(db: Database) -> None:
    async with db.writing() as connection:
        await upsert.add(connection, due, [a_row(1)])
        await upsert.add(connection, due, [a_row(2)])
        assert (await connection.execute(select(due.c.due_ms))).scalars().all() == [1]
        await upsert.put(connection, due, [a_row(3)])
        assert (await connection.execute(select(due.c.due_ms))).scalars().all() == [3]


async def test_nothing_is_nothing(db: Database) -> None:
    async with db.writing() as connection:
        await upsert.put(connection, due, [])
        assert (await connection.execute(select(due.c.due_ms))).scalars().all() == []
