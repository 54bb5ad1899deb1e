"""Reads history slice by slice and has it judged again: lines of an answer as they come. Writes nothing down."""

import asyncio
from bisect import bisect_left
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, TypedDict

from collector.alerts.board import ChannelsFor, only_the_log
from collector.alerts.conditions import SPENT_SOON
from collector.alerts.glance import calm_of
from collector.alerts.playing import Report, rounds
from collector.alerts.silences import Silence
from collector.alerts.watch import Watch
from collector.alerts.where import Place
from collector.fleet.document import Count
from collector.fleet.host import Host
from collector.forecast.foresight import Foresight
from collector.forecast.judge import USAGE_FLOOR
from collector.history.tiers import RAW, Reach
from collector.replay.plan import Asked, Slice, slices_of
from collector.replay.strip import Strip
from collector.replay.tidings import Tidings, ToldShape
from collector.replay.timeline import MomentShape, StandingShape, Timeline
from collector.storage import chunks, hosts, hot, silences
from collector.storage.database import AsyncConnection, Database
from collector.trends.query import week_before
from collector.trends.stored import stored

if TYPE_CHECKING:
    from collector.forecast.early import Key

PAGE = 64
"""Hosts read by one transaction: to begin one takes as long as to read a host."""


class SourceShape(TypedDict):
    """Which tier told of a stretch of the window."""

    tier: str
    from_ms: Count
    to_ms: Count


class DamagedShape(TypedDict):
    """A stretch of a host's history that cannot be read."""

    host: str
    from_ms: Count
    to_ms: Count


class UnjudgedShape(TypedDict):
    """A rule that no replay can judge, and why."""

    rule: str
    why: str


class ReplayShape(TypedDict):
    """What a replay came to. `left_out`: the names of the rules that were `not_judged`."""

    from_ms: Count
    to_ms: Count
    rules: list[str]
    left_out: list[str]
    not_judged: list[UnjudgedShape]
    sources: list[SourceShape]
    damaged: list[DamagedShape]
    hosts: Count
    reports: Count
    standing: list[StandingShape]
    first: MomentShape | None


class LineShape(TypedDict, total=False):
    """One of these: a moment; a notice; how far it has come; the last line; or why there is none."""

    moment: MomentShape
    notice: ToldShape
    until_ms: Count
    done: ReplayShape
    error: str


class Replay:
    """One replay. Made with `prepared`."""

    def __init__(  # noqa: PLR0913, PLR0917 - what it is made of
        self,
        db: Database,
        asked: Asked,
        meant: Sequence[Host],
        reach: Reach,
        quiet: Sequence[Silence],
        channels: ChannelsFor,
    ) -> None:
        """`quiet`: silences of the time; `channels`: who is told. Raises InvalidValue: too much, or too old."""
        self._db, self._asked, self._hosts, self._reach = db, asked, meant, reach
        self._slices = slices_of(asked, len(meant), reach)
        self._calm = calm_of(asked.judged)
        self._foresight = Foresight()
        self._watch = Watch(asked.judged, (), self._foresight)
        self._timeline = Timeline(asked.from_ms, asked.where, quiet, self._watch.place_for)
        self._tidings = Tidings(self._watch, self._timeline, channels, quiet)
        self._learned: set[Key] = set()
        self._waiting: list[tuple[int, int, int, Report]] = []
        self._latest: dict[int, int] = {}
        self._standing: list[StandingShape] = []
        self._sources: list[SourceShape] = []
        self._damaged: list[DamagedShape] = []
        self._lost_last: dict[str, DamagedShape] = {}
        self._reports = 0
        self._kept: set[int] = set()
        """Hosts that have a chunk of the slice that is read."""
        self._doubtful: set[int] = set()
        """Hosts of which something was set aside: where they have nothing, something may be missing."""
        self._logged: dict[int, tuple[int, int]] = {}

    async def lines(self) -> AsyncGenerator[LineShape, None]:
        """Moments as they are found, where it has come to, and what it came to."""
        await self._look_ahead()
        for one in self._slices:
            async for _ in self._read(one):
                yield {"until_ms": one.from_ms}  # Whoever waits learns that it goes on.
            for piece in one.pieces:
                if self._waiting or self._watch.rests_until_ms <= piece.to_ms:
                    for line in await asyncio.to_thread(self._judged, piece):
                        yield line
                    yield {"until_ms": piece.to_ms}
            if one.to_ms == self._asked.from_ms:
                found = map(self._timeline.standing, self._watch.cases)
                self._standing = [standing for standing in found if standing]
            yield {"until_ms": one.to_ms}
        yield {"done": self._done()}

    async def _look_ahead(self) -> None:
        """Of which hosts something is missing, and when the log has anything of which."""
        async with self._db.reading() as connection:
            for tier in {one.tier for one in self._slices}:
                mine = [one for one in self._slices if one.tier is tier]
                aside = await chunks.aside(connection, mine[0].from_ms, mine[-1].to_ms)
                self._doubtful |= {gone.host_id for gone in aside}
            self._logged = await hot.extents(connection)

    async def _look_at(self, one: Slice) -> None:
        """Which hosts have anything then: most slices of a long window may hold nothing."""
        async with self._db.reading() as connection:
            self._kept = {host_id for host_id, _ in await chunks.keys(connection, one.tier, one.from_ms, one.to_ms)}

    def _has(self, host: Host, one: Slice) -> bool:
        if host.id in self._doubtful or host.id in self._kept:
            return True
        logged = self._logged.get(host.id) if one.tier is RAW else None
        return logged is not None and logged[0] < one.to_ms and logged[1] >= one.from_ms

    async def _read(self, one: Slice) -> AsyncGenerator[None, None]:
        """What was taken within the slice, and what its forecasts have to remember: a page of hosts at a time."""
        await self._look_at(one)
        mine = [host for host in self._hosts if self._has(host, one)]
        for start in range(0, len(mine), PAGE):
            async with self._db.reading() as connection:
                for host in mine[start : start + PAGE]:
                    await self._read_host(connection, host, one)
            yield
        self._waiting.sort(key=lambda waiting: waiting[:3])
        self._note(one)

    async def _read_host(self, db: AsyncConnection, host: Host, one: Slice) -> None:
        span = (one.from_ms, one.to_ms)
        found = await stored(db, host, one.tier, span, self._reach)
        for begin_ms, end_ms in found.lost:
            self._lose(host.name, begin_ms, end_ms)
        strips = [Strip(part.chunk, one.tier, host, part.named, self._calm, span) for part in found.parts]
        for strip in strips:
            self._waiting += [(at_ms, taken_ms, host.id, report) for at_ms, taken_ms, report in strip.reports()]
        await self._remember(host, strips, one)

    def _lose(self, host: str, from_ms: int, to_ms: int) -> None:
        """A stretch that goes on where another ended, in the slice before, is one with it."""
        before = self._lost_last.get(host)
        if before and before["to_ms"] == from_ms:
            before["to_ms"] = to_ms
            return
        self._lost_last[host] = {"host": host, "from_ms": from_ms, "to_ms": to_ms}
        self._damaged.append(self._lost_last[host])

    async def _remember(self, host: Host, strips: Sequence[Strip], one: Slice) -> None:
        """The week before of each pool that a forecast is worth, as the evaluation has it."""
        if not any(rule.measure is SPENT_SOON for rule in self._asked.judged):
            return
        for pool in {pool for strip in strips for pool in strip.half_full(USAGE_FLOOR)}:
            key = (host.name, pool)
            if key not in self._learned:
                self._learned.add(key)
                minutes = await week_before(self._db, host, pool, one.from_ms, self._reach)
                self._foresight.learn(key, minutes)

    def _judged(self, one: Slice) -> list[LineShape]:
        """What changed, and after it what people would have been told of it."""
        due = bisect_left(self._waiting, one.to_ms, key=lambda waiting: waiting[0])
        ready, self._waiting = self._waiting[:due], self._waiting[due:]
        lines: list[LineShape] = []
        for played in rounds(self._watch, self._news(ready), one.moments):
            moments = (self._timeline.moment(played.at_ms, verdict) for verdict in played.verdicts)
            lines += [{"moment": moment} for moment in moments if moment]
            lines += [{"notice": notice} for notice in self._tidings.of(played)]
        return lines

    def _news(self, ready: Sequence[tuple[int, int, int, Report]]) -> Iterator[Report]:
        """A backlog that came late was no news, and was not judged when it came either."""
        for _, taken_ms, host_id, report in ready:
            if taken_ms >= self._latest.get(host_id, 0):
                self._latest[host_id] = taken_ms
                self._reports += 1
                yield report

    def _note(self, one: Slice) -> None:
        if one.to_ms <= self._asked.from_ms:
            return
        before = self._sources[-1] if self._sources else None
        if before and before["tier"] == one.tier.name:
            before["to_ms"] = one.to_ms
        else:
            self._sources.append({"tier": one.tier.name, "from_ms": one.from_ms, "to_ms": one.to_ms})

    def _done(self) -> ReplayShape:
        asked = self._asked
        return {
            "from_ms": asked.from_ms,
            "to_ms": asked.to_ms,
            "rules": [rule.name for rule in asked.judged],
            "left_out": list(asked.left_out),
            "not_judged": [{"rule": name, "why": why} for name, why in asked.left_out.items()],
            "sources": self._sources,
            "damaged": self._damaged,
            "hosts": len(self._hosts),
            "reports": self._reports,
            "standing": self._standing,
            "first": self._timeline.first,
        }


async def prepared(db: Database, asked: Asked, reach: Reach, channels: ChannelsFor = only_the_log) -> Replay:
    """A replay of the hosts that are meant. Raises InvalidValue where it is too much, or too old."""
    async with db.reading() as connection:
        everyone = await hosts.all_hosts(connection)
        quiet = await silences.within(connection, asked.from_ms, asked.to_ms)
    meant = [host for host in everyone if asked.where.accepts_place(_place(host))]
    return Replay(db, asked, meant, reach, quiet, channels)


def _place(host: Host) -> Place:
    labels: Mapping[str, str] = host.labels
    return Place(host=host.name, role=host.role or "", labels=labels)
