"""Transactions in one go. On PostgreSQL they are as any other."""

import asyncio

import pytest
from sqlalchemy.exc import IntegrityError, ProgrammingError

from collector.storage.database import AsyncConnection, Database
from collector.storage.errors import DatabaseUnusable
from tests.cursor import advance, cursor_of, standing


async def test_a_transaction_in_one_go_is_a_transaction(db: Database) -> None:
    assert await db.transact(lambda connection: advance(connection, by=9)) == 0
    assert await cursor_of(db) == 9

    async def fail_half_way(connection: AsyncConnection) -> None:
        await advance(connection, by=1)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await db.transact(fail_half_way)
    assert await cursor_of(db) == 9


async def test_transactions_in_one_go_take_turns_with_others(sqlite: Database) -> None:
    async def add_one() -> None:
        async with sqlite.writing() as connection:
            await advance(connection, by=1)

    async def add_one_in_one_go() -> None:
        await sqlite.transact(lambda connection: advance(connection, by=1))

    await asyncio.gather(*(way() for way in [add_one, add_one_in_one_go] * 10))
    assert await cursor_of(sqlite) == 20


async def test_a_guard_stands_before_a_transaction_in_one_go_too(db: Database) -> None:
    async def refuse(_: AsyncConnection) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await db.guarded_by(refuse).transact(lambda connection: advance(connection, by=9))
    assert await cursor_of(db) == 0


async def test_what_goes_wrong_within_one_go_is_told_as_anywhere(db: Database) -> None:
    async def mistake(connection: AsyncConnection) -> None:
        await connection.exec_driver_sql("INSERT INTO cursor VALUES ('evaluation', 1, 0)")

    async def ask_for_what_is_not_there(connection: AsyncConnection) -> None:
        await connection.exec_driver_sql("SELECT 1 FROM nowhere")

    with pytest.raises(IntegrityError):
        await db.transact(mistake)
    with pytest.raises(DatabaseUnusable if db.location.file else ProgrammingError):
        await db.transact(ask_for_what_is_not_there)


async def test_whoever_is_cancelled_waits_for_the_end_of_a_transaction_in_one_go(sqlite: Database) -> None:
    """Its thread goes on anyway: nobody may take the next turn, or close the file, before it is done."""
    working = asyncio.create_task(sqlite.transact(lambda connection: advance(connection, by=9)))
    await asyncio.sleep(0)
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working
    assert await sqlite.transact(lambda connection: advance(connection, by=1)) in {0, 9}


async def test_a_transaction_in_one_go_awaits_nothing_but_its_connection(sqlite: Database) -> None:
    """There is no event loop in its thread."""

    async def wait(_: AsyncConnection) -> None:
        await asyncio.sleep(0)

    with pytest.raises(RuntimeError, match="awaits its connection only"):
        await sqlite.transact(wait)


async def test_of_what_only_reads_in_one_go_nothing_is_kept(db: Database) -> None:
    await db.transact(lambda connection: advance(connection, by=9))

    async def move_it(connection: AsyncConnection) -> int:
        return await advance(connection, by=1)

    if db.location.file:
        assert await db.read(move_it) == 9
    assert await db.read(standing) == 9


async def test_what_is_read_in_one_go_waits_for_no_writer(sqlite: Database) -> None:
    async with sqlite.writing() as connection:
        await advance(connection, by=9)
        assert await sqlite.read(standing) == 0
    assert await sqlite.read(standing) == 9
