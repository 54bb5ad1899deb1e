"""Trends read from the log and from history."""

from collections.abc import Callable

import pytest
from sqlalchemy import select, update

from collector.compaction import AGAIN_MS, SPREAD_MS
from collector.fleet.host import Host
from collector.history.tiers import DAY_MS, HOUR_MS, MINUTE, MINUTE_MS, RAW, Keep, Reach
from collector.storage import chunks, hosts, tables
from collector.trends import query
from collector.trends.query import Trend, maxima, trend
from collector.trends.window import Window
from tests.builders import NOON_MS, a_pool, a_reading, a_snapshot
from tests.collecting import Collecting
from tests.columns import with_rows_unreadable


async def asked(collector: Collecting, host: Host, window: Window) -> Trend:
    return await trend(collector.db, host, a_pool(), window, Reach(collector.clock(), Keep()))


async def lb1(collector: Collecting) -> Host:
    async with collector.db.reading() as connection:
        host = await hosts.by_name(connection, "lb1")
    assert host
    return host


async def test_a_window_longer_than_a_page_is_read_to_its_end(
    collector: Collecting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(query, "PAGE", 4)
    count = 11
    collector.clock.turn(count)
    for seq in range(count):
        await collector.push(a_snapshot(a_reading(seq), seq=seq, taken_at_ms=NOON_MS + seq * 1000))
    host = await lb1(collector)
    window = Window(NOON_MS, NOON_MS + count * 1000, 1000)
    assert [point.max for point in (await asked(collector, host, window)).points] == list(range(count))


async def test_snapshots_taken_at_the_same_instant_are_all_counted(
    collector: Collecting, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A host whose clock runs ahead is clamped to the time of receipt: many may share it."""
    monkeypatch.setattr(query, "PAGE", 4)
    count = 9
    await collector.push(*(a_snapshot(a_reading(9), seq=seq, taken_at_ms=NOON_MS + seq) for seq in range(count)))
    host = await lb1(collector)
    [point] = (await asked(collector, host, Window(NOON_MS, NOON_MS + 1, 1_000))).points
    assert point.mean == 9.0


EVERY_S = 50


async def told(collector: Collecting, minutes: int) -> None:
    """What is held climbs by one each EVERY_S; every seventh snapshot does not list the pool: it holds nothing then."""
    for number in range(minutes * 60 // EVERY_S):
        at_ms = NOON_MS + number * EVERY_S * 1000
        collector.clock.now_ms = at_ms
        listed = [a_reading(number)] if number % 7 else []
        await collector.push(a_snapshot(*listed, seq=number, taken_at_ms=at_ms))


async def points(collector: Collecting, step_ms: int, hours: int = 3) -> list[tuple[int | float | None, ...]]:
    made = await asked(collector, await lb1(collector), Window(NOON_MS, NOON_MS + hours * HOUR_MS, step_ms))
    return [(point.min, point.mean, point.max, point.capacity) for point in made.points]


@pytest.mark.parametrize("step_ms", [7_000, 10_000, MINUTE_MS, 10 * MINUTE_MS, HOUR_MS])
async def test_the_answer_is_the_same_wherever_it_comes_from(collector: Collecting, step_ms: int) -> None:
    """From the log alone; from chunks and the log; from coarser chunks and finer ones for what they do not hold yet."""
    await told(collector, 155)
    from_the_log = await points(collector, step_ms)
    await collector.compact()
    assert await points(collector, step_ms) == from_the_log
    collector.clock.turn((MINUTE.span_ms + SPREAD_MS + AGAIN_MS) / 1000)
    await collector.compact()
    assert await points(collector, step_ms) == from_the_log
    assert None in [mean for _, mean, _, _ in from_the_log] or step_ms == HOUR_MS


async def test_an_old_window_is_told_in_the_steps_that_are_kept(collector: Collecting) -> None:
    await told(collector, 20)
    await collector.compact()
    collector.clock.now_ms = NOON_MS + 3 * DAY_MS
    made = await asked(collector, await lb1(collector), Window(NOON_MS, NOON_MS + HOUR_MS, 10_000))
    assert (made.tier.name, made.window.step_ms) == ("minute", MINUTE_MS)
    assert len(made.points) == 60


@pytest.mark.parametrize("damage", [lambda _: b"PGH1", with_rows_unreadable], ids=["unopenable", "unreadable"])
async def test_a_damaged_chunk_is_told_and_the_rest_is_read(
    collector: Collecting, damage: Callable[[bytes], bytes]
) -> None:
    await told(collector, 25)
    await collector.compact()
    broken = tables.chunk_raw.c.from_ms == NOON_MS
    async with collector.db.writing() as connection:
        body = (await connection.execute(select(tables.chunk_raw.c.body).where(broken))).scalar_one()
        await connection.execute(update(tables.chunk_raw).where(broken).values(body=damage(body)))
    made = await asked(collector, await lb1(collector), Window(NOON_MS, NOON_MS + HOUR_MS, 10 * MINUTE_MS))
    gone = [(NOON_MS, NOON_MS + 10 * MINUTE_MS)]
    assert (made.damaged, made.lost) == (gone, gone)
    assert [point.max for point in made.points][:3] == [None, 23, 29]


async def test_what_was_set_aside_is_a_gap_that_is_explained(collector: Collecting) -> None:
    """Until the minutes are made of it, and afterwards, when they lack it."""
    await told(collector, 25)
    await collector.compact()
    async with collector.db.writing() as connection:
        await chunks.set_aside(connection, RAW, (1, NOON_MS + RAW.span_ms), "broken", collector.clock())
    window = Window(NOON_MS, NOON_MS + HOUR_MS, 10 * MINUTE_MS)
    for _ in range(2):
        made = await asked(collector, await lb1(collector), window)
        assert (made.damaged, made.lost) == ([], [(NOON_MS + RAW.span_ms, NOON_MS + 2 * RAW.span_ms)])
        assert [point.max for point in made.points][:3] == [11, None, 29]
        collector.clock.turn((MINUTE.span_ms + SPREAD_MS + AGAIN_MS) / 1000)
        await collector.compact()


async def test_a_snapshot_that_nobody_can_read_is_told_as_lost_and_the_rest_is_read(collector: Collecting) -> None:
    """In the log, settled, and of minutes that lack it."""
    await told(collector, 25)
    async with collector.db.writing() as connection:
        await connection.execute(update(tables.hot).where(tables.hot.c.seq == 3).values(body=b"from the future"))
    window = Window(NOON_MS, NOON_MS + HOUR_MS, MINUTE_MS)
    for tier in (RAW, RAW, MINUTE):
        made = await asked(collector, await lb1(collector), window)
        assert (made.damaged, made.lost) == ([], [(NOON_MS, NOON_MS + RAW.span_ms)])
        assert [point.max for point in made.points][:4] == [1, 2, None, 4]
        collector.clock.turn((0 if tier is MINUTE else MINUTE.span_ms + SPREAD_MS + AGAIN_MS) / 1000)
        await collector.compact()


async def test_where_the_latest_snapshot_cannot_be_read_the_namespace_is_not_guessed(collector: Collecting) -> None:
    await collector.push(a_snapshot(a_reading(9)))
    async with collector.db.writing() as connection:
        await connection.execute(update(tables.hot).values(body=b"from the future"))
    found = await query.in_its_namespace(collector.db, await lb1(collector), a_pool(netns=""))
    assert found.netns == ""


async def test_a_day_by_the_minute(collector: Collecting) -> None:
    await told(collector, 25)
    await collector.compact()
    found = await maxima(
        collector.db, await lb1(collector), a_pool(), collector.clock(), Reach(collector.clock(), Keep())
    )
    assert len(found) == 24 * 60 + 1
    assert [point.max for point in found if point.max is not None][-3:] == [27, 0, 29]
