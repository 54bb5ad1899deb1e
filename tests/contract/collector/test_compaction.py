"""The hot log becomes history: nothing lost, nothing twice, on both databases."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Table, text, update

from collector.compaction import AGAIN_MS, SPREAD_MS
from collector.history import codec, fleet
from collector.history.chunk import POOLS, Chunk
from collector.history.merge import names_of
from collector.history.rollup import rolled, rolled_again
from collector.history.tiers import HOUR, HOUR_MS, MINUTE, MINUTE_MS, RAW, Tier
from collector.storage import chunks, fleet_history, hosts, pools, tables
from collector.storage.chunks import Aside
from collector.storage.database import Database
from shared.model import Snapshot
from tests.builders import NOON_MS, a_pool, a_reading, a_snapshot
from tests.collecting import Collecting
from tests.columns import snapshots_of

SPAN_S = RAW.span_ms // 1000


async def read(db: Database, tier: Tier, host: str = "lb1") -> list[Chunk]:
    async with db.reading() as connection:
        known = await hosts.by_name(connection, host)
        assert known
        return [codec.decode(body) for _, body in await chunks.of_host(connection, tier, known.id, 0, 2**52)]


async def kept(db: Database, host: str = "lb1") -> list[Snapshot]:
    """Every snapshot in raw chunks, in order."""
    async with db.reading() as connection:
        known = await hosts.by_name(connection, host)
        assert known
        numbers = await pools.of_hosts(connection, [known.id])
    named = {number: pool for pool, number in numbers[known.id].items()}
    return [snapshot for chunk in await read(db, RAW, host) for snapshot in snapshots_of(chunk, host, named)]


async def in_log(db: Database) -> list[tuple[int, bool]]:
    async with db.reading() as connection:
        rows = await connection.execute(text("SELECT seq, is_settled FROM hot ORDER BY host_id, seq"))
        return [(row.seq, bool(row.is_settled)) for row in rows]


def story(count: int = 5, *, host: str = "lb1", every_s: int = 200) -> list[Snapshot]:
    return [
        a_snapshot(
            a_reading(5 * (seq + 1)),
            a_reading(3, pool=a_pool(9002)),
            host=host,
            seq=seq,
            taken_at_ms=NOON_MS + seq * every_s * 1000,
        )
        for seq in range(count)
    ]


async def told(collector: Collecting, snapshots: list[Snapshot], after_s: int = 3_600) -> None:
    collector.clock.now_ms = max(snapshot.taken_at_ms for snapshot in snapshots)
    await collector.push(*snapshots)
    collector.clock.turn(after_s)


async def test_closed_windows_become_chunks_and_their_rows_go(collector: Collecting) -> None:
    await told(collector, story())
    await collector.compact()
    assert await kept(collector.db) == story()
    assert [len(chunk.times) for chunk in await read(collector.db, RAW)] == [3, 2]
    assert await in_log(collector.db) == [(4, True)]  # The newest stays: it tells how the host is now.


async def test_a_window_that_is_open_stays_in_the_log(collector: Collecting) -> None:
    await told(collector, story(), after_s=1)
    await collector.compact()
    assert [snapshot.seq for snapshot in await kept(collector.db)] == [0, 1, 2]
    assert await in_log(collector.db) == [(3, False), (4, False)]


async def test_what_was_not_judged_stays_in_the_log(collector: Collecting) -> None:
    await told(collector, story())
    while await collector.compaction.compact():
        pass
    assert len(await in_log(collector.db)) == 5


async def test_a_late_backlog_newest_first_joins_its_chunks(collector: Collecting) -> None:
    late = story()[1:-1]
    await told(collector, [story()[0], story()[-1]])
    await collector.compact()
    await collector.push(*reversed(late))
    await collector.compact()
    assert await kept(collector.db) == story()
    assert await in_log(collector.db) == [(4, True)]


async def test_what_is_sent_again_after_it_was_settled_counts_once(collector: Collecting) -> None:
    await told(collector, story())
    await collector.compact()
    before = await fleet_totals(collector.db)
    await collector.push(story()[1])
    await collector.compact()
    assert await kept(collector.db) == story()
    assert await fleet_totals(collector.db) == before


async def fleet_totals(db: Database) -> dict[int, int]:
    async with db.reading() as connection:
        found = await fleet_history.minutes(connection, 0, 2**52)
    return {hour: int(fleet.unpack_counts(body, fleet.MINUTES).sum()) for hour, body in found}


@contextmanager
def failing(monkeypatch: pytest.MonkeyPatch, where: str) -> Iterator[None]:
    module, _, name = where.rpartition(".")

    async def fails(*_args: object, **_named: object) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr(f"collector.compaction.{module}.{name}", fails)
        yield


@pytest.mark.parametrize("where", ["chunks.put", "chunks.owe", "fleet_history.add_counts", "hot.settle", "pools.add"])
async def test_a_step_that_is_interrupted_is_done_again(
    collector: Collecting, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    await told(collector, story())
    await collector.judged()
    with failing(monkeypatch, where), pytest.raises(ZeroDivisionError):
        await collector.compaction.compact()
    assert (await kept(collector.db), len(await in_log(collector.db))) == ([], 5)
    await collector.compact()
    assert await kept(collector.db) == story()
    assert await fleet_totals(collector.db) == {NOON_MS: 10}


async def rolled_up(collector: Collecting, tier: Tier) -> None:
    collector.clock.turn((tier.span_ms + SPREAD_MS + AGAIN_MS) / 1000)
    await collector.compact()


async def test_roll_ups_are_what_is_computed_from_raw(collector: Collecting) -> None:
    await told(collector, story(40, every_s=97))
    await collector.compact()
    await rolled_up(collector, MINUTE)
    raw = await read(collector.db, RAW)
    async with collector.db.reading() as connection:
        numbers = await pools.of_hosts(connection, [1])
    named = {number: pool for pool, number in numbers[1].items()}
    [minutes] = await read(collector.db, MINUTE)
    assert minutes == rolled(raw, MINUTE_MS, named)
    assert minutes.tables[POOLS].column("held.max").max() == 200
    await rolled_up(collector, HOUR)
    assert await read(collector.db, HOUR) == [rolled_again([minutes], HOUR_MS)]


async def test_a_late_snapshot_makes_its_roll_ups_anew(collector: Collecting) -> None:
    first, *late, last = story(12)
    await told(collector, [first, last])
    await rolled_up(collector, MINUTE)
    await rolled_up(collector, MINUTE)
    collector.clock.now_ms = NOON_MS + 40 * HOUR_MS
    await collector.push(*late)
    await collector.compact()
    collector.clock.turn(AGAIN_MS / 1000)
    await collector.compact()
    [minutes] = await read(collector.db, MINUTE)
    assert minutes.tables[POOLS].column("count").sum() == 24


async def test_what_is_older_than_the_raw_history_is_let_go(collector: Collecting) -> None:
    """Agents keep a backlog for as long as this: whatever is older was sent by a clock that is wrong by days."""
    await told(collector, story(), after_s=49 * 3600)
    await collector.compact()
    assert await kept(collector.db) == []
    assert await in_log(collector.db) == [(4, True)]


async def test_peaks_and_histograms_tell_of_all_hosts(collector: Collecting) -> None:
    await told(collector, [*story(), *story(host="lb2")])
    await collector.compact()
    async with collector.db.reading() as connection:
        found = await fleet_history.peaks(connection, 0, 2**52)
    [(hour, block, body)] = found
    assert (hour, block) == (NOON_MS, 0)
    assert sorted(fleet.unpack_peaks(body)[1:5].tolist()) == [657, 657, 5463, 5463]
    assert await fleet_totals(collector.db) == {NOON_MS: 20}


async def corrupt(db: Database, table: Table) -> None:
    async with db.writing() as connection:
        await connection.execute(update(table).values(body=b"PGH1 but no more"))


async def test_a_corrupt_chunk_is_set_aside_and_the_rest_goes_on(
    collector: Collecting, caplog: pytest.LogCaptureFixture
) -> None:
    first, second, *rest = story()
    await told(collector, [first, *rest])
    await collector.compact()
    await corrupt(collector.db, tables.chunk_raw)
    await collector.push(second)
    await collector.compact()
    await rolled_up(collector, MINUTE)
    assert await kept(collector.db) == [second]
    async with collector.db.reading() as connection:
        assert (await chunks.set_aside_in_all(connection))[0] == 2
    assert "set aside" in caplog.text
    [minutes] = await read(collector.db, MINUTE)
    assert minutes.tables[POOLS].column("held.max").max() == 10


@pytest.mark.parametrize("tier", [MINUTE, HOUR])
async def test_what_was_rolled_up_of_a_chunk_before_it_broke_stays(collector: Collecting, tier: Tier) -> None:
    """A late snapshot has its roll-ups made anew, from less than they were made of."""
    first, *late, last = story(12)
    await told(collector, [first, *late[1:], last])
    for one in (MINUTE, HOUR):
        await rolled_up(collector, one)
    before = await steps(collector.db, tier)
    await corrupt(collector.db, tables.chunk_raw if tier is MINUTE else tables.chunk_minute)
    collector.clock.now_ms = NOON_MS + 40 * HOUR_MS
    await collector.push(late[0])
    await collector.compact()
    for one in (MINUTE, HOUR):
        await rolled_up(collector, one)
    after = await steps(collector.db, tier)
    assert before.items() <= after.items()
    assert len(after) == (12 if tier is MINUTE else 1)


async def steps(db: Database, tier: Tier) -> dict[int, list[int]]:
    """What was held of each pool at most, by step."""
    found = await read(db, tier)
    return {
        at_ms: chunk.tables[POOLS].column("held.max")[:, number].tolist()
        for chunk in found
        for number, at_ms in enumerate(chunk.times.tolist())
    }


async def test_a_body_that_cannot_be_read_is_told_and_stays(
    collector: Collecting, caplog: pytest.LogCaptureFixture
) -> None:
    await told(collector, story())
    async with collector.db.writing() as connection:
        await connection.execute(text("UPDATE hot SET body = :body WHERE seq = 1"), {"body": b"from the future"})
    await collector.compact()
    assert [snapshot.seq for snapshot in await kept(collector.db)] == [0, 2, 3, 4]
    assert await in_log(collector.db) == [(1, True), (4, True)]
    assert caplog.text.count("a stored snapshot cannot be read") == 1
    async with collector.db.reading() as connection:
        assert await chunks.aside(connection, NOON_MS, NOON_MS + HOUR_MS) == [Aside(RAW, 1, NOON_MS)]


async def test_minutes_that_lack_an_unreadable_snapshot_still_learn_of_late_ones(collector: Collecting) -> None:
    first, second, *rest = story()
    await told(collector, [first, *rest])
    async with collector.db.writing() as connection:
        await connection.execute(text("UPDATE hot SET body = :body WHERE seq = 2"), {"body": b"from the future"})
    await rolled_up(collector, MINUTE)
    late = a_snapshot(a_reading(299), seq=9, taken_at_ms=NOON_MS + 1)  # Of a minute that is there already.
    await collector.push(second, late)
    await rolled_up(collector, MINUTE)
    assert (await steps(collector.db, MINUTE))[NOON_MS][0] == 299


async def test_names_of_snapshots_are_each_there_once(collector: Collecting) -> None:
    await told(collector, story())
    await collector.compact()
    names = [name for chunk in await read(collector.db, RAW) for name in names_of(chunk)]
    assert names == [("boot-1", seq) for seq in range(5)]
