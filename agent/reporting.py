"""Sampling all the time: ticks, the samples they ask for, and what to do about those that fail."""

import asyncio
import logging
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

from agent.backoff import ahead_s
from agent.budget import Budget
from agent.cadence import TICK_S, Decision, Place, Reason, Situation, decide, is_idle
from agent.config import AgentConfig
from agent.dozing import Sentry
from agent.evidence.join import join
from agent.evidence.ledger import Ledger as Said
from agent.failures import Ledger
from agent.glance import glance, is_as_before
from agent.host import HostSample, HostSampler
from agent.insight import Insight
from agent.netns import cpu_s
from agent.overhearing import overhearing
from agent.spending import Spending
from agent.spool import Spool
from agent.spooling import Done, sample_and_spool
from agent.tallies import Samplings
from shared import clock
from shared.logs import fields

log = logging.getLogger(__name__)

CLOCK_GRAIN_S = 1e-3
"""Ticks and intervals meet on one grid; sums of floats do not quite."""


FAILURES_IN_A_ROW = 3
"""After so many a fresh sampler takes over, the next one after twice as many, and so on: mostly it fares no better. A
failed sample is tried again when the next one is due, never at once."""


@asynccontextmanager
async def sampling(
    reporter: "Reporter", wake: asyncio.Event, sentry: Sentry
) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """Spool a snapshot whenever agent.cadence says so, for as long as the block is open.

    A sample that fails is spooled too, marked so. Failures in the ledger leave with the next sample that can be taken.
    What was done is counted in its `samplings`. The block is given what stops the loop between two samples and spools a
    last one.
    """
    config = reporter.config
    one_at_a_time = asyncio.Lock()

    async def forever() -> None:
        at_s = reporter.samplings.back_by_s = clock.monotonic_s() + clock.until_next_s(TICK_S) - TICK_S
        while True:
            async with one_at_a_time:
                if await reporter.tick(at_s):
                    wake.set()
            at_s = await reporter.until_due(reporter.next_tick_s(at_s), sentry)

    async def finish() -> None:
        async with one_at_a_time:
            loop.cancel()
            await asyncio.wait([loop])
            await reporter.sample(Reason.LAST, clock.monotonic_s())
        wake.set()

    async with overhearing(config.log_files, config.journal) as reporter.said, asyncio.TaskGroup() as tasks:
        loop = tasks.create_task(forever(), name="sampling")
        try:
            yield finish
        finally:
            loop.cancel()


@dataclass(slots=True)
class Reporter:
    """Ticks, and the samples they ask for. Times are monotonic; one call at a time."""

    config: AgentConfig
    spool: Spool
    ledger: Ledger
    samplings: Samplings
    said: Said = field(default_factory=Said)
    """What proxies logged."""
    _spending: Spending = field(init=False)
    _sampler: HostSampler = field(init=False)
    _insight: Insight = field(init=False)
    _situation: Situation = field(init=False)
    _glanced_at_s: float | None = None
    _is_still: bool = False
    """Whether the latest glance found nothing to decide, and no sample was taken since."""
    _told: set[str] = field(default_factory=set)
    _sampled_at_s: float | None = None
    _failed_in_a_row: int = 0
    _restart_after: int = FAILURES_IN_A_ROW
    _is_short: bool = False

    def __post_init__(self) -> None:
        self._spending = Spending(Budget(self.config.cpu_share))
        self.samplings.interval_s = self.config.interval_s
        self._begin_anew()

    def _begin_anew(self) -> None:
        config = self.config
        self._sampler = HostSampler(
            most_pools=config.most_pools, only=config.netns, may_probe=config.probe, thresholds=config.thresholds
        )
        self._insight = Insight(self._sampler.atlas)

    def next_tick_s(self, at_s: float) -> float:
        """When to come back after the tick that was meant for `at_s`."""
        due_s = math.inf if self._sampled_at_s is None else self._sampled_at_s + self.config.interval_s
        return min(at_s + TICK_S, due_s if due_s > at_s else math.inf)

    async def until_due(self, at_s: float, sentry: Sentry) -> float:
        """Glance each second from `at_s` on, until there is something to decide; answers when that was, for `tick`.

        In the sentry's thread, and nothing else may be asked of this meanwhile.
        """
        ahead_s = at_s

        def next_at_s(now_s: float) -> float:
            nonlocal ahead_s
            self.samplings.back_by_s = ahead_s = max(ahead_s, now_s)
            return ahead_s

        def is_due() -> bool:
            nonlocal ahead_s
            if not (self._is_still and self._since_s(ahead_s) < interval_s and is_as_before(self._sampler, ahead_s)):
                self._glance(ahead_s)
                if not self._is_still:
                    return True
            ahead_s = self.next_tick_s(ahead_s)
            return False

        interval_s = self.config.interval_s
        await sentry.until(is_due, next_at_s)
        return ahead_s

    async def tick(self, at_s: float) -> bool:
        """Glance at the counters, if that is not done, and take a sample if need be; answers whether one was."""
        if self._glanced_at_s != at_s:
            self._glance(at_s)
        situation = self._situation
        if self._is_still:
            return False
        budget = self._spending.settle(at_s)
        decision = decide(situation, budget)
        self._tell(decision, budget)
        if decision.reason is not None and decision.allowed:
            await self.sample(decision.reason, at_s, situation.places if decision.reason is Reason.DUE else ())
        return decision.is_sample

    def _since_s(self, at_s: float) -> float:
        """How long ago the latest sample was taken."""
        return math.inf if self._sampled_at_s is None else at_s - self._sampled_at_s + CLOCK_GRAIN_S

    def _glance(self, at_s: float) -> None:
        spent_s = cpu_s()
        seen = glance(self._sampler, at_s)
        since_s = None if self._sampled_at_s is None else self._since_s(at_s)
        self._situation = Situation(seen.places, since_s, self.config.interval_s, seen.has_newcomer, seen.is_changed)
        self._is_still, self._glanced_at_s = is_idle(self._situation), at_s
        self._spend(cpu_s() - spent_s)

    def _spend(self, cpu_seconds: float) -> None:
        self._spending.add(cpu_seconds)
        self.samplings.cpu_s += cpu_seconds

    def _tell(self, decision: Decision, budget: Budget) -> None:
        """Count and log what was decided; that samples are rarer than asked is said once, until they no longer are."""
        if decision.reason is None:
            return
        facts = {"reason": decision.reason, "budget_ms": round(budget.balance_s * 1e3, 1)}
        log.debug("a sample" if decision.allowed else "a sample is withheld", extra=fields(**facts))
        self.samplings.deferred += not decision.allowed
        self.samplings.interval_s = budget.interval_s(self.config.interval_s)
        if not decision.allowed and decision.reason is not Reason.HOT and not self._is_short:
            self._is_short = True
            cost = {"cpu_share": budget.share, "sample_ms": round(budget.sample_s * 1e3, 1)}
            what = "samples are rarer than asked: cpu_share pays for no more"
            log.warning(what, extra=fields(reason=decision.reason, interval_s=self.samplings.interval_s, **cost))
        elif decision.is_sample and decision.reason is Reason.DUE and self._is_short and budget.affords(0.0):
            self._is_short = self.samplings.interval_s > self.config.interval_s

    async def sample(self, reason: Reason, at_s: float, places: Sequence[Place] = ()) -> None:
        """Take one, and spool it or why it failed. By counters at `places` the latest one may still hold."""
        failures, said, astray = self.ledger.take(), self.said.take(), self._insight.astray

        def observe() -> HostSample:
            seen = self._sampler.again(places, at_s) or self._sampler.sample_all(at_s)
            seen = self._insight.into(seen, clock.monotonic_s(), failures)
            return replace(seen, evidence=join(said, seen.readings)).with_claims(self.samplings.claims)

        done = await asyncio.to_thread(
            sample_and_spool, self.config, self.samplings.interval_s, observe, self.spool, self.samplings.steered
        )
        is_first, self._is_still = self._sampled_at_s is None, False
        self._sampled_at_s = at_s - (head_start_s(self.config) if is_first else 0.0)
        self._spending.add(done.cpu_s)
        count(self.samplings, reason, done)
        if done.sample is None:
            self.ledger.add(failures)
            self.said.put_back(said)
            self._failed()
            return
        self._failed_in_a_row, self._restart_after = 0, FAILURES_IN_A_ROW
        if done.sample.looked_at:
            self._spending.expect(done.cpu_s)
        self._complain(done.sample.notes, self._insight.astray - astray)

    def _complain(self, notes: Iterable[str], astray: int) -> None:
        for note in set(notes) - self._told:
            log.warning("samples are less accurate", extra=fields(why=note))
        self._told.update(notes)
        if astray:
            log.warning("failures of pools that are not sampled", extra=fields(connects=astray))

    def _failed(self) -> None:
        self._failed_in_a_row += 1
        if self._failed_in_a_row < self._restart_after:
            return
        log.warning("the sampler is begun anew", extra=fields(failed_in_a_row=self._failed_in_a_row))
        self._restart_after *= 2
        self.samplings.restarts += 1
        self._begin_anew()


def head_start_s(config: AgentConfig) -> float:
    """How much sooner than usual the second sample comes, which brings the host into its phase.

    Whole ticks, so that samples stay on the seconds at which all loops wake up (`shared.clock.until_next_s`); where
    these lie differs from host to host already.
    """
    exactly_s = ahead_s(config.host, config.interval_s, clock.wall_ms() / 1000)
    return exactly_s - exactly_s % TICK_S


def count(samplings: Samplings, reason: Reason, done: Done) -> None:
    """Add one sample."""
    samplings.samples[reason] += 1
    samplings.cpu_s += done.cpu_s
    if done.sample is None:
        samplings.failed += 1
        return
    samplings.last_at_s, samplings.last_cpu_s = done.at_s, done.cpu_s
    samplings.looked_at += done.sample.looked_at
    samplings.sockets = done.sample.sockets
    samplings.pools = len(done.sample.readings)
    samplings.namespaces = len(done.sample.summaries)
    samplings.unreadable = sum(one.namespaces for one in done.sample.unreadable)
    samplings.readings = done.sample.readings
    samplings.spaces = tuple(summary.namespace for summary in done.sample.summaries)
