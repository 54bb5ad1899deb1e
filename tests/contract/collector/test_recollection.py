"""After a restart the forecast knows the last week again, from what the database holds."""

import pytest

from collector import recollection
from collector.forecast.foresight import Foresight
from collector.history.tiers import Keep
from collector.recollection import Recollection
from shared.errors import PortgaugeError
from tests.builders import NOON_MS, a_pool, a_reading, a_snapshot
from tests.collecting import Collecting

HOUR_MS = 3_600_000


def recollecting(collector: Collecting, foresight: Foresight) -> Recollection:
    return Recollection(collector.db, foresight, Keep(), clock=collector.clock)


async def a_peak(collector: Collecting, held: int, at_ms: int) -> None:
    collector.clock.now_ms = at_ms
    await collector.push(a_snapshot(a_reading(held), seq=1, taken_at_ms=at_ms))


async def told_in_a_rise(collector: Collecting, foresight: Foresight) -> float | None:
    """What is foretold after five minutes of rising from 170 to 263 of 300 ports, twenty hours after noon."""
    told, begin_ms = None, NOON_MS + 20 * HOUR_MS
    for step in range(60):
        collector.clock.now_ms = begin_ms + 5_000 * step
        told = foresight("lb1", a_reading(170 + step * 95 // 60), collector.clock.now_ms)
        await recollecting(collector, foresight).recollect()
    return told.seconds if told else None


@pytest.mark.parametrize("days_earlier", [0, 5])
async def test_a_restart_in_a_tide_does_not_alarm(collector: Collecting, days_earlier: int) -> None:
    await a_peak(collector, 250, NOON_MS - days_earlier * 24 * HOUR_MS)

    assert await told_in_a_rise(collector, Foresight()) is None


async def test_a_rise_beyond_all_that_history_holds_is_told(collector: Collecting) -> None:
    await a_peak(collector, 50, NOON_MS)

    assert await told_in_a_rise(collector, Foresight()) == pytest.approx(117, rel=0.2)


async def test_a_host_that_is_not_known_has_no_memory(collector: Collecting) -> None:
    foresight = Foresight()
    foresight("lb9", a_reading(200), NOON_MS)
    await recollecting(collector, foresight).recollect()

    assert foresight.wanted(1) == []


async def test_a_round_ends_when_its_time_is_up(collector: Collecting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recollection, "BUDGET_S", 0.0)
    foresight = Foresight()
    for host in ("lb1", "lb2"):
        foresight(host, a_reading(200), NOON_MS)
    await recollecting(collector, foresight).recollect()

    assert foresight.wanted(2) == [("lb2", a_pool())]


async def test_what_cannot_be_read_is_logged_once_stays_unknown_and_is_tried_again(
    collector: Collecting, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    await a_peak(collector, 50, NOON_MS)
    foresight = Foresight()
    foresight("lb1", a_reading(200), NOON_MS)
    recollect = recollecting(collector, foresight)

    async def broken(*_: object) -> list[object]:
        raise PortgaugeError("the shelf is empty")

    with monkeypatch.context() as patched:
        patched.setattr(recollection, "week_before", broken)
        await recollect.recollect()
        await recollect.recollect()
    assert foresight.wanted(1) == [("lb1", a_pool())]
    assert [record.message for record in caplog.records].count(
        "the last week of a pool cannot be read; no forecast until it can"
    ) == 1

    await recollect.recollect()
    assert foresight.wanted(1) == []


@pytest.mark.parametrize("is_more", [True, False])
async def test_history_is_read_only_once_the_log_is_caught_up(collector: Collecting, is_more: bool) -> None:
    foresight = Foresight()

    async def evaluate() -> bool:
        foresight("lb1", a_reading(200), NOON_MS)
        return is_more

    assert await recollecting(collector, foresight).after(evaluate)() is is_more
    assert bool(foresight.wanted(1)) is is_more
