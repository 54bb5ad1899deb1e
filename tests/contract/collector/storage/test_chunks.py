"""Chunks are kept by host, tier and time, and dropped by time."""

import pytest

from collector.history.tiers import DAY_MS, HOUR, MINUTE, RAW, TIERS, Tier
from collector.storage import chunks
from collector.storage.chunks import Aside, Due
from collector.storage.database import Database

DAY = 20_000 * DAY_MS


@pytest.mark.parametrize("tier", TIERS, ids=lambda tier: tier.name)
async def test_a_chunk_is_replaced_by_its_successor(db: Database, tier: Tier) -> None:
    start = tier.start_of(DAY)
    async with db.writing() as connection:
        await chunks.put(connection, tier, {(1, start): b"old", (2, start): b"other"})
        await chunks.put(connection, tier, {(1, start): b"new", (1, start + tier.span_ms): b"next"})
    async with db.reading() as connection:
        assert await chunks.bodies(connection, tier, [(1, start), (3, start)]) == {(1, start): b"new"}
        within = await chunks.of_host(connection, tier, 1, start + 1, start + tier.span_ms + 1)
        assert within == [(start, b"new"), (start + tier.span_ms, b"next")]
        extent = await chunks.extent(connection, tier)
    assert (extent.oldest_ms, extent.newest_ms) == (start, start + tier.span_ms)


async def test_an_empty_tier_has_no_extent(db: Database) -> None:
    async with db.reading() as connection:
        assert await chunks.extent(connection, RAW) == chunks.Extent(RAW, None, None)


async def test_what_is_too_old_goes_and_the_rest_stays(db: Database) -> None:
    async with db.writing() as connection:
        made = {(1, DAY + day * DAY_MS): b"x" for day in range(4)}
        await chunks.put(connection, RAW, made)
    rounds = 0
    while True:
        async with db.writing() as connection:
            rounds += 1
            if not await chunks.drop(connection, RAW, DAY + 2 * DAY_MS, 1):
                break
    assert rounds >= 2
    async with db.reading() as connection:
        left = [from_ms for from_ms, _ in await chunks.of_host(connection, RAW, 1, 0, 2**52)]
    assert left == [DAY + 2 * DAY_MS, DAY + 3 * DAY_MS]


async def test_what_is_owed_keeps_its_time_until_it_is_done(db: Database) -> None:
    due = Due(MINUTE, 1, DAY)
    async with db.writing() as connection:
        await chunks.owe(connection, [(due, 10)])
        await chunks.owe(connection, [(due, 99), (Due(MINUTE, 1, DAY + MINUTE.span_ms), 99)])
        assert await chunks.due(connection, 9, 5) == []
        assert await chunks.due(connection, 10, 5) == [due]
        assert await chunks.oldest_due_ms(connection, MINUTE) == DAY
        assert await chunks.owed(connection, MINUTE, 1, DAY + 1, DAY + 2) == {DAY}
        assert await chunks.owed(connection, RAW, 1, DAY + 1, DAY + 2) == set()
        await chunks.settle(connection, due)
        assert await chunks.due(connection, 98, 5) == []


async def test_what_is_set_aside_is_out_of_the_way_and_kept(db: Database) -> None:
    async with db.writing() as connection:
        await chunks.put(connection, RAW, {(1, DAY): b"broken"})
        await chunks.set_aside(connection, RAW, (1, DAY), "why", 7)
        await chunks.set_aside(connection, RAW, (1, DAY), "gone already", 8)
        assert await chunks.bodies(connection, RAW, [(1, DAY)]) == {}
        assert await chunks.set_aside_in_all(connection) == (1, len(b"broken"))


async def test_what_is_set_aside_is_told_of_the_time_it_held(db: Database) -> None:
    async with db.writing() as connection:
        for tier, host_id in ((RAW, 1), (HOUR, 1), (RAW, 2)):
            await chunks.put(connection, tier, {(host_id, DAY): b"broken"})
            await chunks.set_aside(connection, tier, (host_id, DAY), "why", 7)
        assert await chunks.aside(connection, DAY, DAY + 1, host_id=1) == [Aside(RAW, 1, DAY), Aside(HOUR, 1, DAY)]
        later = DAY + RAW.span_ms
        assert await chunks.aside(connection, later, later + 1) == [Aside(HOUR, 1, DAY)]
        assert await chunks.aside(connection, DAY - 1, DAY) == []


async def test_what_never_came_into_a_chunk_is_known_once_and_takes_no_room(db: Database) -> None:
    async with db.writing() as connection:
        await chunks.note_lost(connection, RAW, {}, 7)
        await chunks.note_lost(connection, RAW, {(1, DAY): "why", (2, DAY): "why"}, 7)
        await chunks.note_lost(connection, RAW, {(1, DAY): "again"}, 8)
        assert await chunks.aside(connection, DAY, DAY + 1) == [Aside(RAW, 1, DAY), Aside(RAW, 2, DAY)]
        assert await chunks.set_aside_in_all(connection) == (0, 0)


async def test_what_is_set_aside_is_bounded_and_what_is_missing_stays_known(db: Database) -> None:
    async with db.writing() as connection:
        for number in range(5):
            await chunks.put(connection, RAW, {(1, DAY + number * RAW.span_ms): b"x" * 10})
            await chunks.set_aside(connection, RAW, (1, DAY + number * RAW.span_ms), "why", 100 + number)
        assert await chunks.prune_aside(connection, DAY, 101, 30) == 2  # One is too old, one too much.
        assert await chunks.set_aside_in_all(connection) == (3, 30)
        assert len(await chunks.aside(connection, DAY, DAY + DAY_MS)) == 5
        assert await chunks.prune_aside(connection, DAY + 1, 0, 30) == 0
        assert len(await chunks.aside(connection, DAY, DAY + DAY_MS)) == 4


async def test_it_is_known_which_chunks_there_are(db: Database) -> None:
    async with db.writing() as connection:
        await chunks.put(connection, RAW, {(1, DAY): b"a", (2, DAY + RAW.span_ms): b"b"})
    async with db.reading() as connection:
        assert await chunks.keys(connection, RAW, DAY + 1, DAY + RAW.span_ms) == {(1, DAY)}
