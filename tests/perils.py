"""A leader whose life is in danger: the real evaluation and delivery over a real database, towards a real receiver.

What happens to it is data: reports arrive, the receiver fails, people silence, and the leader dies before or after any
of its commits, or is superseded while it sleeps and wakes. What people heard in the end is for the tests to judge.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from copy import copy
from dataclasses import dataclass, field
from typing import Any

from aiohttp import ClientSession, web

from collector.alerts.rules import Rule
from collector.alerts.silences import Silence
from collector.alerts.where import Where
from collector.evaluation import Evaluator
from collector.fleet.host import Arrival
from collector.ingest.record import record
from collector.metrics import Metrics
from collector.notify.delivery import Delivery
from collector.notify.settings import ChannelSettings, resolve
from collector.notify.webhook import WebhookChannel
from collector.run import listening, serving
from collector.storage import leadership, outbox, silences
from collector.storage.database import AsyncConnection, Database
from collector.storage.errors import Superseded
from shared import wire
from tests.builders import a_pool, a_reading, a_snapshot
from tests.collecting import Clock

RULES = (
    Rule(name="warm", severity="plan", raise_at=0.70, clear_at=0.60, hold_s=10, keep_s=30),
    Rule(name="hot", severity="page", raise_at=0.85, clear_at=0.75),
)
CAPACITY = 100
CHANNEL = "webhook"
REPORTS_EVERY_MS = 12 * 3_600_000
"""So seldom that no host of a story of minutes falls silent."""
RETRY_S = 310
"""Longer than any notice waits for its next attempt."""


@dataclass(frozen=True)
class Reports:
    """Hosts report, one after another: (host, ports held of 100)."""

    held: Sequence[tuple[str, int]]


@dataclass(frozen=True)
class Pass:
    """Time goes by."""

    seconds: int


@dataclass(frozen=True)
class Answers:
    """How the receiver takes the next notices: a status, `lost` (it takes the notice, its answer never arrives)."""

    answers: Sequence[int | str]


@dataclass(frozen=True)
class Kill:
    """The leader dies after so many more moments; each of its transactions has two, before and after its commit."""

    moments: int


@dataclass(frozen=True)
class Pause:
    """The leader falls asleep, and another is elected."""


@dataclass(frozen=True)
class Wake:
    """All who fell asleep wake, and do what they were about to do."""


@dataclass(frozen=True)
class Hush:
    """Somebody silences a host."""

    host: str
    seconds: int


Peril = Reports | Pass | Answers | Kill | Pause | Wake | Hush


class Killed(Exception):
    """The leader is no more."""


@dataclass
class Fuse:
    """Burns a little at each moment, and kills at the end; None: does not burn."""

    left: int | None = None

    def burn(self) -> None:
        """One moment."""
        if self.left is None:
            return
        self.left -= 1
        if self.left < 0:
            raise Killed


class Mortal(Database):
    """A database whose user may die before each commit, which undoes it, and after."""

    def __init__(self, db: Database, fuse: Fuse) -> None:
        vars(self).update(vars(copy(db)))
        self._fuse = fuse

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        async with super().writing() as connection:
            yield connection
            self._fuse.burn()
        self._fuse.burn()


@dataclass
class Receiver:
    """Takes down every notice that reaches it, also those that its answer is lost of: (key, body)."""

    taken: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    answers: list[int | str] = field(default_factory=list)
    has_lost: bool = False

    async def take(self, request: web.Request) -> web.Response:
        """Answer the next of `answers`, else take it."""
        answer = self.answers.pop(0) if self.answers else 204
        if isinstance(answer, int) and answer != 204:
            return web.Response(status=answer)
        self.taken.append((request.headers["Idempotency-Key"], await request.json()))
        if answer == "lost":
            self.has_lost = True
            assert request.transport
            request.transport.abort()
        return web.Response(status=204)


@dataclass
class Leader:
    """One collector's term: what it evaluates, and what it delivers."""

    evaluator: Evaluator
    delivery: Delivery
    fuse: Fuse

    async def work(self) -> None:
        """Judge all there is, and tell all that is due."""
        while await self.evaluator.evaluate():
            pass
        while await self.delivery.deliver():
            pass


@dataclass
class World:
    """Everything, and how it came to be."""

    db: Database
    url: str
    session: ClientSession
    receiver: Receiver
    clock: Clock = field(default_factory=Clock)
    asleep: list[Leader] = field(default_factory=list)
    deaths: int = 0
    reported: list[tuple[str, int, int]] = field(default_factory=list)
    """(host, when received, ports held)."""
    hushed: list[Silence] = field(default_factory=list)
    leader: Leader = field(init=False)

    async def elect(self) -> None:
        """Another leader, who knows only what is written."""
        async with self.db.writing() as connection:
            epoch = await leadership.begin(connection, "somebody")
        fuse, metrics = Fuse(), Metrics("test")
        led = leadership.fenced(Mortal(self.db, fuse), epoch)
        settings = ChannelSettings(name=CHANNEL, url=f"{self.url}/notice")
        evaluator = Evaluator(
            db=led,
            rules=RULES,
            channels=[CHANNEL],
            channels_for=lambda _severity, _rules: (CHANNEL,),
            metrics=metrics,
            clock=self.clock,
            on_notice=lambda: None,
        )
        channel = WebhookChannel(resolve(settings), self.session, self.clock)
        self.leader = Leader(evaluator, Delivery(led, channel, metrics, clock=self.clock), fuse)

    async def meet(self, peril: Peril) -> None:
        """Let it happen, a second after what happened before, then let whoever leads do its work."""
        self.clock.turn(1)
        match peril:
            case Reports():
                await self._report(peril.held)
            case Pass():
                self.clock.turn(peril.seconds)
            case Answers():
                self.receiver.answers += peril.answers
            case Kill():
                self.leader.fuse.left = peril.moments
            case Pause():
                self.asleep.append(self.leader)
                await self.elect()
            case Wake():
                await self._wake()
            case Hush():
                await self._hush(peril)
        await self.work()

    async def work(self) -> None:
        """Whoever leads works; where it dies, the next one does, until the work is done."""
        while True:
            try:
                await self.leader.work()
            except Killed:
                self.deaths += 1
                await self.elect()
            else:
                return

    async def settle(self) -> None:
        """The receiver is well again, silences end, nobody dies any more: until nothing is owed."""
        self.receiver.answers.clear()
        self.leader.fuse.left = None
        while self.hushed and self.hushed[-1].ends_ms > self.clock():
            self.clock.turn(RETRY_S)
            await self.work()
        while True:
            self.clock.turn(RETRY_S)
            await self.work()
            async with self.db.reading() as connection:
                if not await outbox.count_owed(connection):
                    return

    async def _report(self, held: Sequence[tuple[str, int]]) -> None:
        arrivals = []
        for host, ports in held:
            self.clock.turn(5)
            now_ms = self.clock()
            reading = a_reading(ports, CAPACITY, pool=a_pool())
            snapshot = a_snapshot(
                reading, host=host, seq=len(self.reported), taken_at_ms=now_ms, interval_ms=REPORTS_EVERY_MS
            )
            self.reported.append((host, now_ms, ports))
            arrivals.append(Arrival(snapshot, wire.encode(snapshot), now_ms))
        for arrival in arrivals:
            async with self.db.writing() as connection:
                await record(connection, [arrival])

    async def _wake(self) -> None:
        """Their time is over: none of them may tell anybody anything."""
        heard = len(self.receiver.taken)
        while self.asleep:
            try:
                await self.asleep.pop().work()
            except (Superseded, Killed):
                continue
        assert len(self.receiver.taken) == heard

    async def _hush(self, hush: Hush) -> None:
        now_ms = self.clock()
        silence = Silence(
            author="ops",
            reason="a story",
            starts_ms=now_ms,
            ends_ms=now_ms + hush.seconds * 1000,
            where=Where(host=(hush.host,)),
            created_ms=now_ms,
        )
        self.hushed = sorted([*self.hushed, silence], key=lambda one: one.ends_ms)
        async with self.db.writing() as connection:
            await silences.add(connection, silence)


@asynccontextmanager
async def a_world(db: Database) -> AsyncIterator[World]:
    """A receiver that listens, and a leader that was just elected."""
    receiver, app = Receiver(), web.Application()
    app.router.add_post("/notice", receiver.take)
    with listening("127.0.0.1:0") as listener:
        async with serving(app, listener) as url, ClientSession() as session:
            world = World(db, url, session, receiver)
            await world.elect()
            yield world
            await asyncio.sleep(0)
