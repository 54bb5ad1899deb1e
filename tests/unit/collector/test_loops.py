"""Background work."""

import asyncio
import logging
from pathlib import Path

import pytest

from collector.loops import Bell, background, repeat_forever
from collector.storage.errors import DatabaseUnusable


async def test_a_bell_wakes_a_loop_early() -> None:
    bell = Bell()
    bell.ring()
    async with asyncio.timeout(1):
        await bell.rest(60)


async def test_a_bell_rings_once() -> None:
    bell = Bell()
    bell.ring()
    await bell.rest(60)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await bell.rest(60)


async def test_a_loop_that_dies_ends_the_block() -> None:
    """A collector that no longer evaluates must not look alive."""

    async def dies() -> None:
        raise ZeroDivisionError

    with pytest.raises(ExceptionGroup) as caught:
        async with background({"dies": dies()}):
            await asyncio.sleep(60)
    assert caught.group_contains(ZeroDivisionError)


async def test_loops_end_with_the_block() -> None:
    ended = asyncio.Event()

    async def endless() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.set()

    async with background({"endless": endless()}):
        await asyncio.sleep(0)
    assert ended.is_set()


async def test_more_work_is_done_without_rest() -> None:
    rounds = 0
    done = asyncio.Event()

    async def work() -> bool:
        nonlocal rounds
        rounds += 1
        if rounds == 5:
            done.set()
        return rounds < 5

    async with background({"work": repeat_forever(work, Bell(), rest_s=60, name="work")}), asyncio.timeout(1):
        await done.wait()


async def test_a_database_that_is_out_is_told_once_and_waited_for(
    caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    rounds = 0
    back = asyncio.Event()

    async def work() -> bool:
        nonlocal rounds
        rounds += 1
        if rounds < 4:
            raise DatabaseUnusable(str(tmp_path), "disk full")
        back.set()
        return False

    with caplog.at_level(logging.ERROR):
        async with background({"work": repeat_forever(work, Bell(), rest_s=0.001, name="w")}), asyncio.timeout(1):
            await back.wait()
    assert [record.getMessage() for record in caplog.records] == ["waiting for the database"]


async def test_a_bell_that_never_stops_ringing_does_not_hurry_a_paced_loop() -> None:
    """What comes meanwhile shares the next round."""
    bell, rounds = Bell(), 0

    async def work() -> bool:
        nonlocal rounds
        rounds += 1
        bell.ring()
        return False

    async with background({"work": repeat_forever(work, bell, rest_s=60, name="work", pace_s=60)}):
        for _ in range(100):
            await asyncio.sleep(0)
    assert rounds == 1
