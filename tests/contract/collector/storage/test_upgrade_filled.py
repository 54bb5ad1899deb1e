"""Every revision's database, filled: nothing is lost on its way to the present schema, and the collector goes on.

While it is upgraded, collectors of the revision before go on writing: what they write is as good as ever.
"""

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, MetaData, select, update

from collector.compaction import AGAIN_MS, SPREAD_MS
from collector.history import codec
from collector.history.tiers import HOUR_MS, MINUTE, MINUTE_MS, RAW, Keep, Reach
from collector.storage import (
    alerts,
    audit,
    chunks,
    cursors,
    fleet_history,
    hosts,
    hot,
    incidents,
    leadership,
    outbox,
    pools,
    rollouts,
    rules,
    schema,
    silences,
    tables,
    tokens,
)
from collector.storage.chunks import Aside
from collector.storage.database import AsyncConnection, Database, database
from collector.storage.hot import LOG_END
from collector.storage.location import Location, locate
from collector.trends.query import trend
from collector.trends.window import Window
from shared import wire
from tests import earlier
from tests.builders import NOON_MS, a_reading, a_snapshot
from tests.collecting import Collecting, collecting
from tests.earlier import HISTORY_MS, POOL, SECRET, name_of, number_of, revisions
from tests.postgres import Cluster

GOES_ON = "0006"
"""Before it tables were made anew, and nothing was ever released: whoever ran then is stopped for an upgrade."""


@pytest.fixture
def empty_sqlite(tmp_path: Path) -> Location:
    return locate(str(tmp_path / "earlier.db"))


@pytest.fixture
def empty_postgresql(postgresql: Cluster) -> Iterator[Location]:
    name = postgresql.new_database()
    yield locate(postgresql.url(name))
    postgresql.drop(name)


@pytest.fixture(params=["sqlite", "postgresql"])
def bare_location(request: pytest.FixtureRequest) -> Location:
    """Of a database without any table, of each backend."""
    found: Location = request.getfixturevalue(f"empty_{request.param}")
    return found


@pytest.fixture
async def bare(bare_location: Location) -> AsyncIterator[Database]:
    """A database without any table, open."""
    async with database(bare_location) as opened:
        yield opened


async def run(db: Database, story: Callable[[Connection], Any]) -> Any:
    async with db.writing() as connection:
        return await connection.run_sync(story)


@pytest.mark.parametrize("revision", revisions())
async def test_a_filled_database_keeps_everything_and_goes_on(bare: Database, revision: str) -> None:
    await run(bare, lambda connection: earlier.made(connection, revision))
    await run(bare, earlier.upgraded)
    await schema.require_current(bare)
    async with bare.reading() as connection:
        await require_whole(connection, revision, 1)
    async with collecting(bare) as collector:
        await require_going_on(collector, revision)


async def require_whole(db: AsyncConnection, revision: str, host: int) -> None:
    """All that the revision could know of the host is known."""
    await require_ingest(db, host)
    await require_alerting(db, host)
    if revision >= "0005":
        await require_history(db, host)
    if revision >= "0006":
        assert earlier.incident(host) in await incidents.open_ones(db)
        assert host in [one.id for one in await silences.current(db, NOON_MS)]
    if revision >= "0008":
        assert name_of(host) in [deed.host for deed in await audit.newest(db, limit=9)]
    if revision >= "0009":
        rollout = await rollouts.find(db, host)
        assert rollout
        assert (rollout.plan.author, rollout.plan.canaries) == ("ops", (name_of(host),))
    if revision >= "0011":
        assert f"mine-{name_of(host)}" in [made.rule.name for made in await rules.all_made(db)]


async def require_ingest(db: AsyncConnection, host: int) -> None:
    known = await hosts.by_name(db, name_of(host))
    assert known
    assert (known.id, known.received, known.duplicates, known.missing) == (host, 5, 1, 2)
    assert (known.boot_id, known.last_seq, known.role, known.forgotten_ms) == ("boot-1", 2, "edge", None)
    grant = await tokens.find(db, f"{host:012}")
    assert grant
    assert grant.is_proved_by(SECRET, NOON_MS)
    assert grant.may_push_for(name_of(host))
    bodies = [one.body for one in await hot.newest_after(db, 2 * host - 2, 2)]
    assert [wire.decode(body) for body in bodies] == earlier.logged(host)


async def require_alerting(db: AsyncConnection, host: int) -> None:
    [case] = [one for one in await alerts.current(db) if one.subject.name == name_of(host)]
    assert (case.rule, case.severity, case.alert.state.value, case.alert.fired_ms) == (
        "hot",
        "page",
        "firing",
        NOON_MS + 1,
    )
    assert case.subject.pool == POOL
    assert case.seen.reading
    assert case.seen.reading.held == earlier.HELD
    assert [moved.held for moved in await alerts.history(db, limit=9, host_name=name_of(host))] == [earlier.HELD]
    [owed] = [one for one in await outbox.due(db, "log", NOON_MS + 3, 9) if one.id == host]
    assert (owed.document["summary"], owed.attempts) == ("it was full", 1)
    tried = await db.execute(select(tables.attempt.c.detail).where(tables.attempt.c.outbox_id == host))
    assert list(tried.scalars()) == ["refused"]


async def require_history(db: AsyncConnection, host: int) -> None:
    assert (await pools.of_hosts(db, [host]))[host] == {POOL: number_of(host)}
    for tier, chunk in earlier.history(host).items():
        [(from_ms, body)] = await chunks.of_host(db, tier, host, 0, 2**52)
        assert (from_ms, codec.decode(body)) == (tier.start_of(HISTORY_MS), chunk)
    assert await chunks.owed(db, MINUTE, host, NOON_MS, NOON_MS + 1) == {MINUTE.start_of(NOON_MS)}
    gone = Aside(RAW, host, HISTORY_MS - RAW.span_ms)
    assert await chunks.aside(db, 0, 2**52, host_id=host) == [gone]
    hour = HISTORY_MS - (host - 1) * HOUR_MS
    assert [at_ms for at_ms, _ in await fleet_history.minutes(db, hour, hour + 1)] == [hour]
    assert [at_ms for at_ms, _, _ in await fleet_history.peaks(db, hour, hour + 1)] == [hour]


async def require_going_on(collector: Collecting, revision: str) -> None:
    """The next report is judged after the last; what fires is not told anew; history is joined to what was there."""
    collector.clock.turn(10)
    await collector.push(report(collector, 3, 290))
    async with collector.db.reading() as connection:
        assert (await cursors.read(connection, LOG_END)).hot_id == 3
        assert (await leadership.pulse(connection))[0] == (4 if revision >= "0002" else 0)
    await collector.evaluate()
    # Alerts of before there were incidents belong to none: they are told once more.
    assert await told(collector) == ["firing"] * (1 if revision >= "0006" else 2)
    collector.clock.turn(10)
    await collector.push(report(collector, 4, 5))
    await collector.evaluate()
    assert (await told(collector))[-1] == "resolved"
    collector.clock.turn((MINUTE.span_ms + SPREAD_MS + AGAIN_MS) / 1000)
    await collector.compact()
    async with collector.db.reading() as connection:
        host = await hosts.by_name(connection, "lb1")
    assert host
    reach, window = Reach(collector.clock(), Keep()), Window(HISTORY_MS, HISTORY_MS + 2 * HOUR_MS, MINUTE_MS)
    points = (await trend(collector.db, host, POOL, window, reach)).points
    before, after = ([one.max for one in points if one.max is not None and one.at_ms // NOON_MS == n] for n in (0, 1))
    assert (max(before, default=None), max(after)) == (70 if revision >= "0005" else None, 290)
    assert host.received == 7


def report(collector: Collecting, seq: int, held: int) -> Any:
    return a_snapshot(a_reading(held), seq=seq, taken_at_ms=collector.clock())


async def told(collector: Collecting) -> list[str]:
    async with collector.db.reading() as connection:
        query = select(tables.outbox.c.document).order_by(tables.outbox.c.id)
        return [document["state"] for document in (await connection.execute(query)).scalars()]


@pytest.mark.parametrize("revision", revisions(GOES_ON))
async def test_collectors_of_before_go_on_writing_while_the_schema_is_newer(bare: Database, revision: str) -> None:
    """They name the columns that they know, in inserts and updates, and read them; today's reads what they wrote."""
    known = await run(bare, lambda connection: earlier.made(connection, revision))
    await run(bare, earlier.upgraded)
    await run(bare, lambda connection: write_as_before(connection, known))
    async with bare.reading() as connection:
        await require_whole(connection, revision, 1)
        await require_whole(connection, revision, 2)


def write_as_before(connection: Connection, known: MetaData) -> None:
    earlier.write(connection, known, 2)
    for table in known.tables.values():
        if table.name in tables.metadata.tables:
            connection.execute(select(*table.columns)).all()
            connection.execute(update(table).values({column.name: column for column in table.columns}))
