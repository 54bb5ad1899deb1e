"""One host over a stretch of time, as chunks: what history has settled, and what only the log holds."""

from sqlalchemy import update

from collector.history.tiers import RAW
from collector.storage import hosts, tables
from collector.trends.stored import Stored, stored
from tests.builders import NOON_MS, a_pool, a_reading, a_snapshot
from tests.collecting import Collecting

WHOLE = (NOON_MS, NOON_MS + RAW.span_ms)


async def asked(collector: Collecting) -> Stored:
    async with collector.db.reading() as connection:
        host = await hosts.by_name(connection, "lb1")
        assert host
        return await stored(connection, host, RAW, WHOLE)


async def test_what_is_settled_and_what_came_after_are_both_told_and_nothing_twice(collector: Collecting) -> None:
    await collector.push(a_snapshot(a_reading(1), seq=1, taken_at_ms=NOON_MS))
    collector.clock.turn(720)
    await collector.compact()
    await collector.push(a_snapshot(a_reading(2), seq=2, taken_at_ms=NOON_MS + 10_000))
    found = await asked(collector)
    assert [part.chunk.times.tolist() for part in found.parts] == [[NOON_MS], [NOON_MS + 10_000]]
    assert all(a_pool() in part.named.values() for part in found.parts)


async def test_a_chunk_that_cannot_be_read_is_told_beside_what_can(collector: Collecting) -> None:
    await collector.push(a_snapshot(a_reading(1), seq=1, taken_at_ms=NOON_MS))
    collector.clock.turn(720)
    await collector.compact()
    await collector.push(a_snapshot(a_reading(2), seq=2, taken_at_ms=NOON_MS + 10_000))
    async with collector.db.writing() as connection:
        await connection.execute(update(tables.chunk_raw).values(body=b"PGH1"))
    found = await asked(collector)
    assert (found.is_damaged, [part.chunk.times.tolist() for part in found.parts]) == (True, [[NOON_MS + 10_000]])


async def test_nothing_known_is_nothing(collector: Collecting) -> None:
    collector.clock.turn(3_600)
    await collector.push(a_snapshot(a_reading(1), taken_at_ms=collector.clock()))
    assert await asked(collector) == Stored()
