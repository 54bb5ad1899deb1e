"""Sampling all the time: each sample, or the reason why there is none, becomes a snapshot in the spool."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import NamedTuple

from agent.cadence import Reason
from agent.config import AgentConfig
from agent.errors import SamplingFailed
from agent.failures import Ledger
from agent.host import HostSample, HostSampler
from agent.insight import Insight
from agent.netlink.errors import DumpError
from agent.netns import UnknownNamespace, cpu_s
from agent.spool import Spool, SpoolUnusable
from agent.tallies import Samplings
from agent.version import agent_version
from shared import clock
from shared.logs import fields
from shared.model import Snapshot
from shared.wire import encode

log = logging.getLogger(__name__)


@asynccontextmanager
async def sampling(
    config: AgentConfig, spool: Spool, wake: asyncio.Event, ledger: Ledger, samplings: Samplings
) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """Spool a snapshot every interval for as long as the block is open. An unforeseen fault ends the block.

    Failures in the ledger leave with the next sample that can be taken. What was done is counted in `samplings`.
    The block is given what stops the loop between two samples and spools a last one.
    """
    sampler = HostSampler(most_pools=config.most_pools, only=config.netns, may_probe=config.probe)
    insight = Insight(sampler.atlas)
    told: set[str] = set()
    one_at_a_time = asyncio.Lock()

    async def sample_once(reason: Reason) -> None:
        failures = ledger.take()

        def observe() -> HostSample:
            sample = insight.into(sampler.sample_all(clock.monotonic_s()), clock.monotonic_s(), failures)
            for note in set(sample.notes) - told:
                log.warning("samples are less accurate", extra=fields(why=note))
            told.update(sample.notes)
            return sample

        astray = insight.astray
        done = await asyncio.to_thread(_sample_and_spool, config, observe, spool)
        count(samplings, reason, done)
        if done.sample is None:
            ledger.add(failures)
        if insight.astray > astray:
            log.warning("failures of pools that are not sampled", extra=fields(connects=insight.astray - astray))

    async def forever() -> None:
        due_s, reason = clock.monotonic_s(), Reason.FIRST
        while True:
            samplings.back_by_s = clock.monotonic_s()
            async with one_at_a_time:
                await sample_once(reason)
            reason = Reason.DUE
            wake.set()
            due_s = max(due_s + config.interval_s, clock.monotonic_s())
            samplings.back_by_s = due_s
            await asyncio.sleep(due_s - clock.monotonic_s())

    async def finish() -> None:
        async with one_at_a_time:
            loop.cancel()
            await sample_once(Reason.LAST)
        wake.set()

    async with asyncio.TaskGroup() as tasks:
        loop = tasks.create_task(forever(), name="sampling")
        try:
            yield finish
        finally:
            loop.cancel()


class Done(NamedTuple):
    """What one sample came to."""

    sample: HostSample | None
    """None where it failed."""
    at_s: float
    """Monotonic."""
    cpu_s: float


def count(samplings: Samplings, reason: Reason, done: Done) -> None:
    """Add one sample."""
    samplings.samples[reason] += 1
    samplings.cpu_s += done.cpu_s
    if done.sample is None:
        samplings.failed += 1
        return
    samplings.last_at_s, samplings.last_cpu_s = done.at_s, done.cpu_s
    samplings.sockets = done.sample.sockets
    samplings.pools = len(done.sample.readings)
    samplings.namespaces = len(done.sample.summaries)
    samplings.readings = done.sample.readings
    samplings.spaces = tuple(summary.namespace for summary in done.sample.summaries)


def _sample_and_spool(config: AgentConfig, observe: Callable[[], HostSample], spool: Spool) -> Done:
    """Blocking. A sample that fails is spooled too, with its reason.

    A disk that fails is no reason to stop looking.
    """
    taken_at_ms, at_s, spent_s = clock.wall_ms(), clock.monotonic_s(), cpu_s()
    outcome: HostSample | str
    try:
        outcome = observe()
    except (DumpError, SamplingFailed, UnknownNamespace) as error:
        outcome = str(error)
        log.warning("no sample", extra=fields(why=outcome))

    def encoded(seq: int) -> bytes:
        return encode(snapshot_of(config, outcome, Mark(spool.stream_id, seq, taken_at_ms)))

    try:
        seq = spool.put(encoded, taken_at_ms)
    except SpoolUnusable as error:
        log.error("a snapshot is lost", extra=fields(why=str(error)))  # noqa: TRY400 - foreseen: no traceback
    else:
        log.debug("sampled", extra=fields(seq=seq))
    return Done(outcome if isinstance(outcome, HostSample) else None, at_s, cpu_s() - spent_s)


class Mark(NamedTuple):
    """What sets one snapshot of a host apart from all others."""

    boot_id: str
    seq: int
    taken_at_ms: int


def snapshot_of(config: AgentConfig, outcome: HostSample | str, mark: Mark) -> Snapshot:
    """The sample, or the reason why there is none, as what travels."""
    seen = outcome if isinstance(outcome, HostSample) else None
    return Snapshot(
        host=config.host,
        boot_id=mark.boot_id,
        seq=mark.seq,
        taken_at_ms=mark.taken_at_ms,
        agent_version=agent_version(),
        interval_ms=max(1, round(config.interval_s * 1000)),
        labels=config.all_labels,
        namespaces=tuple(one.namespace for one in seen.summaries) if seen else (),
        readings=seen.readings if seen else (),
        unreadable=seen.unreadable if seen else (),
        failure=outcome if isinstance(outcome, str) else None,
    )
