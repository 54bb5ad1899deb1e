"""One host over a stretch of time, as chunks: what history has settled, and what only the log holds."""

from typing import Any

import pytest
from sqlalchemy import delete, update

from collector.compaction import AGAIN_MS, SPREAD_MS
from collector.history.chunk import POOLS, Chunk
from collector.history.tiers import DAY_MS, HOUR, HOUR_MS, MINUTE, MINUTE_MS, RAW, Keep, Reach, Tier
from collector.storage import chunks, hosts, tables
from collector.trends.stored import Stored, stored
from collector.trends.window import Span
from tests.builders import NOON_MS, a_pool, a_reading, a_snapshot
from tests.collecting import Collecting

WHOLE = (NOON_MS, NOON_MS + RAW.span_ms)
TABLES = {RAW: tables.chunk_raw, MINUTE: tables.chunk_minute, HOUR: tables.chunk_hour}


async def asked(collector: Collecting, tier: Tier = RAW, span: Span = WHOLE) -> Stored:
    async with collector.db.reading() as connection:
        host = await hosts.by_name(connection, "lb1")
        assert host
        return await stored(connection, host, tier, span, Reach(collector.clock(), Keep()))


async def damage(collector: Collecting, tier: Tier, from_ms: int = NOON_MS) -> None:
    table = TABLES[tier]
    async with collector.db.writing() as connection:
        await connection.execute(update(table).where(table.c.from_ms == from_ms).values(body=b"PGH1"))


async def set_aside(collector: Collecting, tier: Tier, from_ms: int = NOON_MS) -> None:
    async with collector.db.writing() as connection:
        await chunks.set_aside(connection, tier, (1, from_ms), "broken", collector.clock())


async def test_what_is_settled_and_what_came_after_are_told_as_one_and_nothing_twice(collector: Collecting) -> None:
    first = a_snapshot(a_reading(1), seq=1, taken_at_ms=NOON_MS)
    await collector.push(first, a_snapshot(seq=9, taken_at_ms=NOON_MS))
    collector.clock.turn(720)
    await collector.compact()
    await collector.push(first, a_snapshot(a_reading(2, pool=a_pool(9002)), seq=2, taken_at_ms=NOON_MS + 10_000))
    found = await asked(collector)
    [part] = found.parts
    assert part.chunk.times.tolist() == [NOON_MS, NOON_MS, NOON_MS + 10_000]
    assert {part.named[number].peer_port for number in part.chunk.tables[POOLS].keys.tolist()} == {9001, 9002}
    assert found.lost == []


async def test_a_chunk_that_cannot_be_read_is_told_beside_what_can(collector: Collecting) -> None:
    await collector.push(a_snapshot(a_reading(1), seq=1, taken_at_ms=NOON_MS))
    collector.clock.turn(720)
    await collector.compact()
    await collector.push(a_snapshot(a_reading(2), seq=2, taken_at_ms=NOON_MS + 10_000))
    await damage(collector, RAW)
    found = await asked(collector)
    assert (found.lost, [part.chunk.times.tolist() for part in found.parts]) == ([WHOLE], [[NOON_MS + 10_000]])


async def test_a_snapshot_that_nobody_can_read_is_lost_before_and_after_it_is_settled(collector: Collecting) -> None:
    collector.clock.turn(1)
    await collector.push(*(a_snapshot(a_reading(seq), seq=seq, taken_at_ms=NOON_MS + seq) for seq in range(3)))
    async with collector.db.writing() as connection:
        await connection.execute(update(tables.hot).where(tables.hot.c.seq == 1).values(body=b"from the future"))
    for _ in range(2):
        found = await asked(collector)
        assert (found.lost, [part.chunk.times.tolist() for part in found.parts]) == ([WHOLE], [[NOON_MS, NOON_MS + 2]])
        collector.clock.turn(720)
        await collector.compact()


async def test_nothing_known_is_nothing(collector: Collecting) -> None:
    collector.clock.turn(3_600)
    await collector.push(a_snapshot(a_reading(1), taken_at_ms=collector.clock()))
    for tier in (RAW, MINUTE, HOUR):
        assert await asked(collector, tier, (NOON_MS - DAY_MS, NOON_MS - DAY_MS + 1)) == Stored()


# --- coarser tiers ---------------------------------------------------------------------------------------------------

EVERY_S = 150
HOURS = (NOON_MS, NOON_MS + 6 * HOUR_MS)
DAYS = (HOUR.start_of(NOON_MS), HOUR.start_of(NOON_MS) + HOUR.span_ms)


async def climbing(collector: Collecting, minutes: int) -> None:
    """One more port each EVERY_S; every seventh snapshot does not list the pool."""
    for number in range(minutes * 60 // EVERY_S):
        at_ms = collector.clock.now_ms = NOON_MS + number * EVERY_S * 1000
        listed = [a_reading(number)] if number % 7 else []
        await collector.push(a_snapshot(*listed, seq=number, taken_at_ms=at_ms))


async def told(collector: Collecting, tier: Tier) -> dict[int, dict[str, int]]:
    """By step, every column of the one pool."""
    found = await asked(collector, tier, HOURS if tier is MINUTE else DAYS)
    assert found.lost == []
    return {at_ms: one for part in found.parts for at_ms, one in _steps(part.chunk)}


def _steps(chunk: Chunk) -> list[tuple[int, dict[str, int]]]:
    table = chunk.tables[POOLS]
    at = table.present[0].nonzero()[0].tolist()
    return [(int(chunk.times[step]), {name: int(table.column(name)[0][step]) for name in table.columns}) for step in at]


async def rolled(collector: Collecting) -> None:
    """Time passes until all is made that is due."""
    for tier in (MINUTE, HOUR):
        collector.clock.turn((tier.span_ms + SPREAD_MS + AGAIN_MS) / 1000)
        await collector.compact()


@pytest.mark.parametrize("tier", [MINUTE, HOUR])
async def test_what_is_not_rolled_up_yet_is_told_as_it_will_be(collector: Collecting, tier: Tier) -> None:
    """From the log alone; from raw chunks and the log; from chunks of its own."""
    await climbing(collector, 155)
    from_the_log = await told(collector, tier)
    assert max(step["held.max"] for step in from_the_log.values()) == 155 * 60 // EVERY_S - 1
    await collector.compact()
    assert await told(collector, tier) == from_the_log
    await rolled(collector)
    assert await told(collector, tier) == from_the_log


@pytest.mark.parametrize("tier", [MINUTE, HOUR])
async def test_a_chunk_that_is_to_be_made_anew_is_not_believed(collector: Collecting, tier: Tier) -> None:
    """A backlog that came late is told at once: before it is settled, settled, and rolled up."""
    await climbing(collector, 60)
    await rolled(collector)
    late = a_snapshot(a_reading(299), seq=1_000, taken_at_ms=NOON_MS + 5_000)
    collector.clock.now_ms = NOON_MS + 40 * HOUR_MS
    await collector.push(late)
    in_the_log = await told(collector, tier)
    assert in_the_log[NOON_MS]["held.max"] == 299
    await collector.compact()
    assert await told(collector, tier) == in_the_log
    await rolled(collector)
    assert await told(collector, tier) == in_the_log


async def test_what_a_finer_chunk_was_lost_of_is_lost_of_the_coarser_ones(collector: Collecting) -> None:
    await climbing(collector, 60)
    await collector.compact()
    await set_aside(collector, RAW)
    lost = (NOON_MS, NOON_MS + RAW.span_ms)
    for tier, span in ((RAW, WHOLE), (MINUTE, HOURS), (HOUR, DAYS)):
        assert (await asked(collector, tier, span)).lost == [lost]
    await rolled(collector)
    for tier, span in ((MINUTE, HOURS), (HOUR, DAYS)):
        assert (await asked(collector, tier, span)).lost == [lost]
    within = (NOON_MS + MINUTE_MS, NOON_MS + 2 * MINUTE_MS)
    assert (await asked(collector, MINUTE, within)).lost == [within]


@pytest.mark.parametrize("way", [damage, set_aside])
async def test_a_coarser_chunk_that_is_lost_is_made_from_the_finer_one_while_that_is_kept(
    collector: Collecting, way: Any
) -> None:
    await climbing(collector, 60)
    whole = await told(collector, MINUTE)
    await rolled(collector)
    collector.clock.now_ms = NOON_MS + 20 * HOUR_MS
    await way(collector, MINUTE)
    assert await told(collector, MINUTE) == whole
    collector.clock.now_ms = NOON_MS + 60 * HOUR_MS
    async with collector.db.writing() as connection:
        await connection.execute(delete(tables.chunk_raw))
    found = await asked(collector, MINUTE, HOURS)
    assert (found.parts, found.lost) == ([], [HOURS])
