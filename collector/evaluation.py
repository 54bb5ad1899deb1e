"""Reads the log, judges, and writes down what follows, all or nothing: alerts, transitions, notices and the cursor.

A restart between reading and writing judges the same snapshots again; one after it goes on behind them. Nothing is
lost, and nobody is told twice. What is watched lives in memory between rounds; it is thrown away and made anew from the
database whenever a round could not be written, or another collector wrote one.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from collector.alerts.board import Board, ChannelsFor, Surroundings
from collector.alerts.evaluate import Case, Foresee, Key, Note, Verdict, foresee_nothing, note_nothing
from collector.alerts.glance import glance, picked
from collector.alerts.incidents import Change
from collector.alerts.notice import NO_BACKGROUND, Background, News, Notice, compose
from collector.alerts.rules import Rule
from collector.alerts.ruleset import in_force
from collector.alerts.silences import Silence
from collector.alerts.step import FLAP_FORGET_MS
from collector.alerts.watch import Watch
from collector.alerts.where import Place
from collector.fleet.host import Doubt, Host
from collector.metrics import Metrics
from collector.storage import alerts, cursors, hosts, hot, incidents, outbox, rollouts, rules, silences
from collector.storage.cursors import EVALUATION, Cursor
from collector.storage.database import AsyncConnection, Database
from collector.storage.hot import Logged
from collector.storage.rules import Written
from shared import wire
from shared.logs import fields
from shared.model import Snapshot

BATCH = 256
PAGE = 64
"""Hosts recalled at a time."""
TICK_MS = 1_000
"""How often the fleet as a whole is looked at."""
FRESHENED = 200
"""How many cases a round brings up to date although their state is as it was: what people read is fresh, and a fleet
that burns does not drown the database."""
INVESTIGATED = 20
"""Of how many incidents a round asks what lies behind them: the rest is told without."""
FORGOTTEN_MS = 24 * 3_600_000
"""How long a host's end is looked for: longer than a leader is behind the log."""
REMEMBER_MS = 24 * FLAP_FORGET_MS
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Work:
    """What one round has to judge. `now_ms` is when it began."""

    now_ms: int
    cursor: Cursor
    logged: Sequence[Logged]
    undelivered: Mapping[str, float]
    silences: Sequence[Silence]
    doubts: Mapping[str, Doubt]
    made: Written
    """Rules made by the API, as they stand."""
    halted: Mapping[str, str]
    forgotten: Sequence[str]

    @property
    def is_caught_up(self) -> bool:
        """Whether this is all there is in the log: only then does silence mean anything."""
        return len(self.logged) < BATCH

    @property
    def end(self) -> int:
        """Where the log will be done up to."""
        return self.logged[-1].id if self.logged else self.cursor.hot_id


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a round came to: the cases that moved, and the incidents, each with the case that stands for it."""

    verdicts: Sequence[Verdict]
    changes: Sequence[tuple[Change, Case | None]]


class Letter(NamedTuple):
    """A notice, and the channels that are owed it."""

    notice: Notice
    channels: Sequence[str]


Investigate = Callable[[AsyncConnection, Case], Awaitable[Background]]
"""What else is known of the pool a notice is about."""


async def investigate_nothing(_db: AsyncConnection, _lead: Case) -> Background:
    """Where nobody asks."""
    return NO_BACKGROUND


class Evaluator:
    """One round after another over the log. Of several at once, all but one write nothing."""

    def __init__(  # noqa: PLR0913 - what it works with
        self,
        *,
        db: Database,
        rules: Sequence[Rule],
        channels: Sequence[str],
        channels_for: ChannelsFor,
        metrics: Metrics,
        clock: Callable[[], int],
        on_notice: Callable[[], None],
        foresee: Foresee = foresee_nothing,
        note: Note = note_nothing,
        investigate: Investigate = investigate_nothing,
    ) -> None:
        """`channels`: names of those who can be told. `on_notice` is called when notices may have become due."""
        self._db, self._rules, self._channels, self._metrics = db, tuple(rules), tuple(channels), metrics
        self._clock, self._on_notice, self._foresee, self._note = clock, on_notice, foresee, note
        self._channels_for, self._investigate = channels_for, investigate
        self.evaluated_ms = clock()
        """When the last round ended; when this was made, before the first."""
        self._watch: Watch | None = None
        self._board = Board((), channels_for, (), ())
        self._round = -1
        self._ticked_ms = 0
        self._stale: dict[Key, Verdict] = {}
        self._configured = tuple(rules)
        self._made: Written = ()

    async def evaluate(self) -> bool:
        """Judge the next stretch of the log, then what time brings. True where more is waiting."""
        watch, work = await self._begun()
        try:
            # In a thread: a batch of fat reports takes seconds to decode, and requests must not wait for it.
            outcome = await asyncio.to_thread(self._judge, watch, work)
            await self._settle(work, outcome)
        except BaseException:
            self._watch = None
            raise
        self.evaluated_ms = self._clock()
        return not work.is_caught_up

    async def _begun(self) -> tuple[Watch, Work]:
        """What is to be judged, and the watch to do it, made anew where it is out of date."""
        work = await self._db.read(self._load)
        if self._watch is not None and not self._is_outdated(work):
            return self._watch, work
        async with self._db.reading() as connection:
            work = await self._load(connection)
            return await self._made_anew(connection, work), work

    async def _load(self, db: AsyncConnection) -> Work:
        cursor = await cursors.read(db, EVALUATION)
        now_ms = self._clock()
        logged = await hot.newest_after(db, cursor.hot_id, BATCH)
        undelivered = await outbox.failing_for_s(db, self._channels, now_ms)
        is_due = self._watch is None or self._round != cursor.round or self._is_time(now_ms)
        doubts = await hosts.doubted(db, now_ms) if is_due else {}
        made = await rules.written(db) if is_due else self._made
        halted = await rollouts.halted(db) if is_due else {}
        # A watch that is new knows cases of hosts that were forgotten while nobody looked.
        since_ms = now_ms - FORGOTTEN_MS if self._watch is not None and self._round == cursor.round else 0
        forgotten = await hosts.forgotten(db, since_ms) if is_due else []
        quiet = await silences.current(db, now_ms)
        return Work(now_ms, cursor, logged, undelivered, quiet, doubts, made, halted, forgotten)

    def _is_time(self, now_ms: int) -> bool:
        """Whether the fleet as a whole is to be looked at again."""
        return not 0 <= now_ms - self._ticked_ms < TICK_MS

    def _is_outdated(self, work: Work) -> bool:
        """Whether somebody else has written a round since, or rules have changed."""
        return self._round != work.cursor.round or self._made != work.made

    async def _made_anew(self, db: AsyncConnection, work: Work) -> Watch:
        """The watch as the database has it, from the view that `work` was read from."""
        if self._watch is not None and self._round != work.cursor.round:
            log.warning("another collector evaluates this database", extra=fields(round=work.cursor.round))
        self._stale = {}
        self._made = work.made
        self._rules = tuple(one.rule for one in in_force(self._configured, rules.read(work.made)))
        known = await alerts.remembered(db, work.now_ms - REMEMBER_MS)
        self._watch = watch = await recall(db, Watch(self._rules, known, self._foresee, self._note))
        self._board = Board(self._rules, self._channels_for, await incidents.open_ones(db), known)
        self._round = work.cursor.round
        self._ticked_ms = 0
        return watch

    def _judge(self, watch: Watch, work: Work) -> Outcome:
        """Every verdict of this round, in order. Snapshots are judged as of when they were received."""
        verdicts: list[Verdict] = []
        for logged in work.logged:
            seen = glance(logged.body)
            if seen and watch.is_calm(seen, logged.received_ms, host_id=logged.host_id):
                continue
            rows = watch.rows(seen) if seen else None
            part = picked(seen, rows) if seen and rows is not None else None
            snapshot = part or read_body(logged)
            place = place_of(snapshot) if snapshot else watch.place_of(logged.host_id)
            interval_ms = snapshot.interval_ms if snapshot else 0
            if place:
                verdicts += watch.take(
                    place,
                    snapshot,
                    interval_ms,
                    logged.received_ms,
                    host_id=logged.host_id,
                    pools=seen.pools if seen and part else None,
                )
        has_ticked = work.is_caught_up and self._is_time(work.now_ms)
        if has_ticked:
            for host in work.forgotten:
                verdicts += watch.forget(host, work.now_ms)
            verdicts += watch.tick(work.now_ms, work.undelivered, work.doubts, work.halted)
            self._ticked_ms = work.now_ms
        at_ms = work.now_ms if work.is_caught_up else work.logged[-1].received_ms
        around = Surroundings(fired=watch.fired, silences=work.silences, place_of=watch.place_for, now_ms=at_ms)
        return Outcome(verdicts, self._board.look(verdicts, around, has_ticked=has_ticked))

    async def _settle(self, work: Work, outcome: Outcome) -> None:
        due = self._worth_writing(outcome.verdicts)
        if not work.logged and not due and not outcome.changes:
            return
        letters = await self._letters(work, outcome.changes)
        if not await self._db.transact(lambda connection: self._written(connection, work, outcome, due, letters)):
            self._watch = None
            return
        self._round = work.cursor.round + 1
        self._count(due)
        if outcome.changes:
            self._on_notice()

    def _worth_writing(self, verdicts: Sequence[Verdict]) -> list[Verdict]:
        """What has to be written now, and as much of what merely is not as fresh as it could be as a round bears."""
        due = [one for one in verdicts if one.transition or one.must_write]
        self._stale |= {one.case.key: one for one in verdicts}
        for one in due:
            self._stale.pop(one.case.key, None)
        fresher = [self._stale.pop(key) for key in list(self._stale)[:FRESHENED]]
        return due + fresher

    async def _letters(self, work: Work, changes: Sequence[tuple[Change, Case | None]]) -> list[Letter]:
        """What is to be told of the incidents. It is asked before anything is written: others may write meanwhile."""
        telling = [(change, lead) for change, lead in changes if change.telling is not None and lead is not None]
        if not telling:
            return []
        async with self._db.reading() as connection:
            return [
                _letter(change, lead, work.now_ms, await self._background(connection, lead, place))
                for place, (change, lead) in enumerate(telling)
            ]

    async def _background(self, db: AsyncConnection, lead: Case, place: int) -> Background:
        return await self._investigate(db, lead) if place < INVESTIGATED else NO_BACKGROUND

    async def _written(
        self, db: AsyncConnection, work: Work, outcome: Outcome, due: Sequence[Verdict], letters: Sequence[Letter]
    ) -> bool:
        """Write the round down. False where another collector has written one since: nothing of this one stays."""
        if not await cursors.advance(db, EVALUATION, seen=work.cursor, to=work.end):
            return False
        await alerts.write(db, due)
        await incidents.write(db, [change for change, _ in outcome.changes], work.now_ms)
        for letter in letters:
            await outbox.put(db, letter.notice, letter.channels, work.now_ms)
        return True

    def _count(self, verdicts: Sequence[Verdict]) -> None:
        for verdict in verdicts:
            if verdict.transition:
                self._metrics.transitions.labels(verdict.case.severity, verdict.transition.after.value).inc()


def _letter(change: Change, lead: Case, now_ms: int, background: Background) -> Letter:
    assert change.telling is not None  # noqa: S101 - only those that are told come here
    news = News(
        incident=change.incident,
        telling=change.telling,
        lead=lead,
        members=change.members,
        now_ms=now_ms,
        background=background,
    )
    return Letter(compose(news), change.incident.channels)


async def recall(db: AsyncConnection, watch: Watch) -> Watch:
    """Tell the watch of every host as it was written down last."""
    everyone = await hosts.all_hosts(db)
    for start in range(0, len(everyone), PAGE):
        page = everyone[start : start + PAGE]
        bodies = await hot.last_good(db, [host.id for host in page])
        await asyncio.to_thread(_restore, watch, page, bodies)
    return watch


def _restore(watch: Watch, page: Sequence[Host], bodies: Mapping[int, Logged]) -> None:
    for host in page:
        snapshot = read_body(bodies[host.id]) if host.id in bodies else None
        place = Place(host=host.name, role=host.role or "", labels=host.labels)
        watch.restore(place, snapshot, host.latest_received_ms, host.interval_ms, failure=host.failure, host_id=host.id)


def place_of(snapshot: Snapshot) -> Place:
    """The host as filters see it."""
    return Place(host=snapshot.host, role=snapshot.labels.get("role", ""), labels=snapshot.labels)


def read_body(logged: Logged) -> Snapshot | None:
    """The snapshot; None, which makes everything of its host unknown, where this version can no longer read it."""
    try:
        return wire.decode(logged.body)
    except wire.WireError as error:
        log.error("a stored snapshot cannot be read", extra=fields(hot_id=logged.id, why=error))  # noqa: TRY400
        return None
