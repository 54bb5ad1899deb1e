"""One of several leads."""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack

import pytest
from sqlalchemy import text

from collector.leading import PATIENCE_BEATS, lead_forever
from collector.loops import Loops, background
from collector.storage import leadership
from collector.storage.database import Database, database
from collector.storage.errors import DatabaseUnusable, Superseded
from collector.storage.location import Location

BEAT_S = 0.05


class Work:
    """A leader's loop that tells who runs, and writes whenever it is let."""

    def __init__(self) -> None:
        self.running: list[str] = []
        self.may_write = asyncio.Event()

    def of(self, name: str) -> Callable[[Database], Loops]:
        async def work(db: Database) -> None:
            self.running.append(name)
            try:
                await self.may_write.wait()
                async with db.writing():
                    pass
                await asyncio.Event().wait()
            finally:
                self.running.remove(name)

        return lambda db: {"work": work(db)}

    async def until(self, *running: str) -> None:
        async with asyncio.timeout(20):
            while self.running != list(running):  # noqa: ASYNC110 - a list rings no bell
                await asyncio.sleep(0.01)


async def test_a_lone_collector_leads(db: Database) -> None:
    work = Work()
    async with background({"leading": lead_forever(db, work.of("a"), beat_s=BEAT_S)}):
        await work.until("a")


async def test_the_second_takes_over_when_the_first_is_gone(postgresql_location: Location) -> None:
    work = Work()
    async with AsyncExitStack() as first, database(postgresql_location) as other:
        db = await first.enter_async_context(database(postgresql_location))
        await first.enter_async_context(background({"leading": lead_forever(db, work.of("a"), beat_s=BEAT_S)}))
        await work.until("a")
        async with background({"leading": lead_forever(other, work.of("b"), beat_s=BEAT_S)}):
            await asyncio.sleep((PATIENCE_BEATS + 3) * BEAT_S)
            assert work.running == ["a"]
            await first.aclose()
            await work.until("b")


async def test_a_leader_that_hangs_is_ended(postgresql_location: Location) -> None:
    """It holds the lock, and its heart does not beat."""
    work = Work()
    async with database(postgresql_location) as db, db.session() as hanging:
        assert await leadership.try_lock(hanging)
        async with background({"leading": lead_forever(db, work.of("b"), beat_s=BEAT_S)}):
            await work.until("b")
        with pytest.raises(DatabaseUnusable), db.explained():
            await hanging.execute(text("SELECT 1"))


async def test_whoever_lost_its_term_stops_and_campaigns_again(db: Database) -> None:
    work = Work()
    async with background({"leading": lead_forever(db, work.of("a"), beat_s=BEAT_S)}):
        await work.until("a")
        async with db.writing() as connection:
            assert await leadership.begin(connection, "another") == 2
        work.may_write.set()
        async with asyncio.timeout(20):
            while (await pulse(db))[0] < 3:  # noqa: ASYNC110 - a database rings no bell
                await asyncio.sleep(0.01)
        await work.until("a")


async def test_a_mistake_of_a_loop_is_loud(db: Database) -> None:
    async def broken() -> None:
        raise ZeroDivisionError

    with pytest.raises(ExceptionGroup) as caught:
        await lead_forever(db, lambda _db: {"broken": broken()}, beat_s=BEAT_S)
    assert caught.group_contains(ZeroDivisionError)
    assert not caught.group_contains(Superseded)


async def pulse(db: Database) -> tuple[int, int]:
    async with db.reading() as connection:
        return await leadership.pulse(connection)
