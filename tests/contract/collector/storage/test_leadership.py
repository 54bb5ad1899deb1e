"""Terms, and the fence between them."""

import asyncio

import pytest

from collector.storage import cursors, leadership
from collector.storage.cursors import EVALUATION, Cursor
from collector.storage.database import Database, database
from collector.storage.errors import Superseded
from collector.storage.location import Location


async def begun(db: Database) -> int:
    async with db.writing() as connection:
        return await leadership.begin(connection, "me")


async def test_every_term_has_a_number_of_its_own(db: Database) -> None:
    assert [await begun(db), await begun(db)] == [1, 2]


async def test_nothing_is_written_after_the_term(db: Database) -> None:
    old = leadership.fenced(db, await begun(db))
    async with old.writing() as connection:
        assert await cursors.advance(connection, EVALUATION, seen=Cursor(0, 0), to=7)
    new = leadership.fenced(db, await begun(db))
    with pytest.raises(Superseded):
        async with old.writing() as connection:
            await cursors.advance(connection, EVALUATION, seen=Cursor(7, 1), to=99)
    async with new.writing() as connection:
        assert (await cursors.read(connection, EVALUATION)).hot_id == 7


async def test_a_leader_of_the_past_may_read(db: Database) -> None:
    old = leadership.fenced(db, await begun(db))
    await begun(db)
    async with old.reading() as connection:
        assert (await cursors.read(connection, EVALUATION)).hot_id == 0


async def test_a_heartbeat_changes_the_pulse_and_ends_with_the_term(db: Database) -> None:
    epoch = await begun(db)
    async with db.writing() as connection:
        await leadership.beat(connection, epoch)
        assert await leadership.pulse(connection) == (epoch, 1)
    await begun(db)
    with pytest.raises(Superseded):
        async with db.writing() as connection:
            await leadership.beat(connection, epoch)


async def test_no_term_begins_within_a_transaction_of_the_one_before(postgresql_location: Location) -> None:
    """Or the old leader would commit after the new one had read."""
    async with database(postgresql_location) as db:
        old = leadership.fenced(db, await begun(db))
        async with old.writing() as connection:
            election = asyncio.create_task(begun(db))
            await asyncio.sleep(0.2)
            assert not election.done()
            await cursors.advance(connection, EVALUATION, seen=Cursor(0, 0), to=7)
        assert await election == 2


async def test_one_session_holds_the_lock_until_it_ends(postgresql_location: Location) -> None:
    async with database(postgresql_location) as db, db.session() as second:
        async with db.session() as first:
            assert await leadership.try_lock(first)
            assert not await leadership.try_lock(second)
        async with asyncio.timeout(10):
            while not await leadership.try_lock(second):  # noqa: ASYNC110 - a database rings no bell
                await asyncio.sleep(0.01)


async def test_a_lock_in_another_database_is_no_obstacle_and_not_ended(
    postgresql_location: Location, another_postgresql_location: Location
) -> None:
    async with (
        database(postgresql_location) as here,
        database(another_postgresql_location) as there,
        here.session() as candidate,
        there.session() as theirs,
    ):
        assert await leadership.try_lock(theirs)
        assert await leadership.oust(candidate) == 0
        assert await leadership.try_lock(candidate)
        assert await leadership.pulse(theirs) == (0, 0)
