import asyncio
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agent.cadence import Reason
from agent.config import AgentConfig
from agent.dozing import sentry
from agent.errors import SamplingFailed
from agent.evidence.phrases import Phrase
from agent.failures import Ledger
from agent.glance import Glance
from agent.host import HostSample, HostSampler
from agent.reporting import Reporter, count, sampling
from agent.spool import Spool
from agent.spooling import Done, sample_and_spool
from agent.tallies import Samplings
from agent.tally import Summary
from shared.model import Evidence, Snapshot
from shared.wire import decode
from tests.builders import NOON_MS, a_namespace, a_reading
from tests.netns import Netns
from tests.sockets import connect, listen

CONFIG = AgentConfig(collector="http://127.0.0.1:1", token_file=Path("token"), host="lb1", role="edge", interval_s=0.5)
CONFIG_OWN = replace(CONFIG, netns=("own",))


def test_samples_are_counted_by_reason_and_what_is_told_is_of_the_latest_that_succeeded() -> None:
    seen = HostSample((Summary(a_namespace(), (a_reading(),)),), "host")
    samplings = Samplings()

    count(samplings, Reason.FIRST, Done(seen, at_s=5.0, cpu_s=0.03))
    count(samplings, Reason.DUE, Done(None, at_s=15.0, cpu_s=0.01))

    assert samplings.samples == {Reason.FIRST: 1, Reason.DUE: 1}
    assert samplings.failed == 1
    assert (samplings.last_at_s, samplings.last_cpu_s) == (5.0, 0.03)
    assert (samplings.pools, samplings.namespaces) == (1, 1)
    assert samplings.cpu_s == 0.04
    assert (samplings.readings, samplings.spaces) == ((a_reading(),), (a_namespace(),))


async def test_the_last_sample_is_spooled_before_the_loop_has_ended(tmp_path: Path) -> None:
    """Whoever is told to stop tells what it sees then; the loop takes no more."""
    samplings, wake = Samplings(), asyncio.Event()
    with Spool(tmp_path, boot_id="boot", max_bytes=2**20, max_age_ms=1_000_000) as spool:
        reporter = Reporter(CONFIG_OWN, spool, Ledger(), samplings)
        async with sentry() as on_guard, sampling(reporter, wake, on_guard) as finish:
            await asyncio.wait_for(wake.wait(), 30)
            wake.clear()
            await finish()

            assert wake.is_set()
            assert samplings.samples[Reason.LAST] == 1
            assert spool.state().snapshots == samplings.samples.total()


def a_reporter(spool: Spool, samplings: Samplings, **keys: Any) -> Reporter:
    return Reporter(replace(CONFIG_OWN, **({"interval_s": 10.0} | keys)), spool, Ledger(), samplings)


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    with Spool(tmp_path, boot_id="boot", max_bytes=2**20, max_age_ms=10**12) as opened:
        yield opened


def told(spool: Spool) -> list[Snapshot]:
    """What was spooled, in its order."""
    found: list[Snapshot] = []
    while spooled := spool.newest():
        found.append(decode(spooled.body))
        spool.taken(spooled.seq)
    return found[::-1]


async def ticks(reporter: Reporter, *, seconds: int, since_s: float = 1000.0) -> None:
    """Live through so many seconds at once."""
    at_s, end_s = since_s, since_s + seconds
    while at_s < end_s:
        await reporter.tick(at_s)
        at_s = reporter.next_tick_s(at_s)


@pytest.fixture
def still(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing but time decides: no counters, and samples that cost nothing."""
    monkeypatch.setattr("agent.reporting.glance", lambda *_: Glance([], has_newcomer=False, is_changed=False))
    seen = HostSample((Summary(a_namespace(), (a_reading(),)),), "host")
    monkeypatch.setattr(HostSampler, "sample_all", lambda *_: seen)
    monkeypatch.setattr("agent.reporting.head_start_s", lambda *_: 0.0)


@pytest.mark.usefixtures("still")
async def test_where_nothing_happens_a_sample_is_taken_each_interval(spool: Spool) -> None:
    samplings = Samplings()
    await ticks(a_reporter(spool, samplings, cpu_share=1.0), seconds=95)

    assert samplings.samples == {Reason.FIRST: 1, Reason.DUE: 9}


@pytest.mark.usefixtures("still")
async def test_the_second_sample_comes_in_the_hosts_phase_and_the_interval_holds_from_then_on(
    spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.reporting.head_start_s", lambda *_: 4.0)
    samplings = Samplings()
    reporter = a_reporter(spool, samplings, cpu_share=1.0)

    await ticks(reporter, seconds=6)
    assert samplings.samples.total() == 1
    await ticks(reporter, seconds=1, since_s=1006.0)
    assert samplings.samples.total() == 2
    await ticks(reporter, seconds=10, since_s=1007.0)
    assert samplings.samples.total() == 3


@pytest.mark.usefixtures("still")
async def test_what_proxies_logged_leaves_with_the_next_sample_joined_to_its_pool(spool: Spool) -> None:
    reporter, pool = a_reporter(spool, Samplings(), cpu_share=1.0), a_reading().pool
    reporter.said.add(Phrase("nginx", "connect() failed", pool.peer, pool.peer_port), NOON_MS, 3)
    await ticks(reporter, seconds=11)

    assert [one.evidence for one in told(spool)] == [(Evidence(pool, "nginx", "connect() failed", 3, NOON_MS),), ()]


@pytest.mark.usefixtures("still")
async def test_what_proxies_logged_waits_for_a_sample_that_succeeds(
    spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    reporter = a_reporter(spool, Samplings(), cpu_share=1.0)
    reporter.said.add(Phrase("haproxy", "no free ports"), NOON_MS)
    with monkeypatch.context() as blind:
        blind.setattr(HostSampler, "sample_all", refuse)
        await reporter.sample(Reason.DUE, 1000.0)
    await reporter.sample(Reason.DUE, 1010.0)

    assert [len(one.evidence) for one in told(spool)] == [0, 1]


def refuse(*_: object) -> HostSample:
    raise SamplingFailed("sock_diag refused")


@pytest.mark.usefixtures("still")
async def test_intervals_shorter_than_a_tick_are_kept_too(spool: Spool) -> None:
    samplings = Samplings()
    await ticks(a_reporter(spool, samplings, cpu_share=1.0, interval_s=0.25), seconds=5)

    assert samplings.samples == {Reason.FIRST: 1, Reason.DUE: 19}


@pytest.mark.usefixtures("still")
async def test_samples_keep_their_order_and_pace_whatever_the_wall_clock_does(
    spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Back an hour, then a day ahead: the sequence number orders them, and the uptime says how far apart they are."""
    walls = iter([NOON_MS, NOON_MS - 3_600_000, NOON_MS + 86_400_000])
    uptimes = iter([500, 10_500, 20_500])
    monkeypatch.setattr("agent.spooling.clock.wall_ms", lambda: next(walls))
    monkeypatch.setattr("agent.spooling.clock.uptime_ms", lambda: next(uptimes))
    await ticks(a_reporter(spool, Samplings(), cpu_share=1.0), seconds=25)

    seen = told(spool)
    assert [one.seq for one in seen] == [1, 2, 3]
    assert [one.taken_at_ms - NOON_MS for one in seen] == [0, -3_600_000, 86_400_000]
    assert [one.uptime_ms for one in seen] == [500, 10_500, 20_500]


@pytest.mark.usefixtures("still")
async def test_a_sample_that_fails_is_told_and_one_that_keeps_failing_gets_a_fresh_sampler(
    spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Foreseen or not; a tenth of a minute apart, never at once; ever more seldom."""
    samplings = Samplings()
    reporter = a_reporter(spool, samplings, cpu_share=1.0)

    def fails(sampler: HostSampler, now_s: float) -> HostSample:
        raise SamplingFailed("no sysctls") if now_s < 1100.0 else ZeroDivisionError(id(sampler))

    with monkeypatch.context() as broken:
        broken.setattr(HostSampler, "sample_all", fails)
        await ticks(reporter, seconds=200)
    failures = [one.failure or "" for one in told(spool)]
    assert failures[0] == "no sysctls"
    assert len(failures) == samplings.failed == 20
    assert failures[-1].startswith("a fault of the agent: ZeroDivisionError")
    assert samplings.restarts == 3

    await ticks(reporter, seconds=10, since_s=1200.0)
    assert [one.failure for one in told(spool)] == [None]


@pytest.mark.usefixtures("still")
async def test_a_share_that_is_too_small_makes_samples_rarer_and_says_so(
    spool: Spool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    samplings = Samplings()
    cheap = sample_and_spool

    def dear(*arguments: Any) -> Done:
        return cheap(*arguments)._replace(cpu_s=0.5)

    monkeypatch.setattr("agent.reporting.sample_and_spool", dear)
    await ticks(a_reporter(spool, samplings, cpu_share=0.01), seconds=2000)

    assert samplings.cpu_s <= 0.01 * 2000 + 4.5
    assert 35 <= samplings.samples.total() <= 48
    assert round(samplings.interval_s) == 50
    assert samplings.deferred > 1000
    assert 49_000 <= told(spool)[-1].interval_ms <= 50_000
    assert [one.message for one in caplog.records].count(
        "samples are rarer than asked: cpu_share pays for no more"
    ) == 1


async def test_a_pool_that_fills_is_seen_before_the_interval_is_over(
    netns: Netns, keep: list[socket.socket], spool: Spool
) -> None:
    netns.set_sysctl("ipv4/ip_local_port_range", "40000 40199")
    listener = netns.run(listen, keep, 9001)
    samplings = Samplings()

    def fill() -> None:
        async def live() -> None:
            reporter = a_reporter(spool, samplings, cpu_share=1.0, interval_s=3600.0)
            for second, more in enumerate((90, 0, 10, 0, 40, 30, 30)):
                connect(keep, listener, more)
                await reporter.tick(1000.0 + second)

        asyncio.run(live())

    await asyncio.to_thread(netns.run, fill)

    seen = [one.readings[0].held for one in told(spool)]
    assert seen == [90, 100, 140, 170, 200]
    assert samplings.samples == {Reason.FIRST: 1, Reason.CROSSING: 4}
