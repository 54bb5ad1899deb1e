"""Trends read from the log."""

import pytest

from collector.storage import hosts
from collector.trends import query
from collector.trends.query import trend
from collector.trends.window import Window
from tests.builders import NOON_MS, a_pool, a_reading, a_snapshot
from tests.collecting import Collecting


async def test_a_window_longer_than_a_page_is_read_to_its_end(
    collector: Collecting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(query, "PAGE", 4)
    count = 11
    collector.clock.turn(count)
    for seq in range(count):
        await collector.push(a_snapshot(a_reading(seq), seq=seq, taken_at_ms=NOON_MS + seq * 1000))
    async with collector.db.reading() as connection:
        host = await hosts.by_name(connection, "lb1")
    assert host
    window = Window(NOON_MS, NOON_MS + count * 1000, 1000)
    assert [point.max for point in await trend(collector.db, host, a_pool(), window)] == list(range(count))


async def test_snapshots_taken_at_the_same_instant_are_all_counted(
    collector: Collecting, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A host whose clock runs ahead is clamped to the time of receipt: many may share it."""
    monkeypatch.setattr(query, "PAGE", 4)
    count = 9
    await collector.push(*(a_snapshot(a_reading(9), seq=seq, taken_at_ms=NOON_MS + seq) for seq in range(count)))
    async with collector.db.reading() as connection:
        host = await hosts.by_name(connection, "lb1")
    assert host
    [point] = await trend(collector.db, host, a_pool(), Window(NOON_MS, NOON_MS + 1, 1_000))
    assert point.mean == 9.0
