"""systemd's watchdog is fed while sampling goes on, and only then."""

import asyncio
from pathlib import Path

import pytest

from agent.cadence import Reason
from agent.supervised import supervised
from agent.systemd import Notifier
from agent.tallies import Samplings
from shared import clock
from tests.manager import Manager, a_manager


async def heard(manager: Manager) -> dict[str, str]:
    return await asyncio.to_thread(manager.next)


async def test_ready_is_told_after_the_first_sample_and_the_watchdog_is_fed_from_then_on(tmp_path: Path) -> None:
    samplings = Samplings()
    with a_manager(tmp_path) as manager:
        async with supervised(Notifier(manager.address, 0.3), samplings, lambda: 4):
            with pytest.raises(TimeoutError):
                await asyncio.to_thread(manager.next, 0.3)
            samplings.samples[Reason.FIRST] = 1
            first, second = await heard(manager), await heard(manager)

    assert (first["READY"], first["WATCHDOG"]) == ("1", "1")
    assert "READY" not in second
    assert second["WATCHDOG"] == "1"
    assert "4 snapshots wait" in second["STATUS"]


async def test_a_loop_that_hangs_starves_the_watchdog_and_says_why(tmp_path: Path) -> None:
    """An agent gone blind must not look alive; systemd ends and restarts it."""
    samplings = Samplings(back_by_s=clock.monotonic_s() - 3600)
    samplings.samples[Reason.FIRST] = 1
    with a_manager(tmp_path) as manager:
        async with supervised(Notifier(manager.address, 0.3), samplings, lambda: 0):
            await heard(manager)
            message = await heard(manager)

    assert message == {"STATUS": "the sampling loop hangs"}


async def test_without_systemd_there_is_nothing_to_do() -> None:
    async with supervised(Notifier(), Samplings(), lambda: 0):
        assert [task.get_name() for task in asyncio.all_tasks()].count("supervised") == 0
