"""The hot log."""

import pytest
from alembic import command
from msgspec.structs import replace
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from collector.fleet.host import Arrival
from collector.storage import hosts, hot, schema
from collector.storage.database import AsyncConnection, Database
from collector.storage.hot import Entry
from collector.trends.window import Window
from tests.builders import NOON_MS, a_snapshot


async def host_id(connection: AsyncConnection) -> int:
    return (await hosts.ensure(connection, ["lb1"]))["lb1"].id


def entry(owner: int, seq: int, *, is_newest: bool = True, received_ms: int = NOON_MS) -> Entry:
    arrival = Arrival(a_snapshot(seq=seq, taken_at_ms=NOON_MS + seq), f"body {seq}".encode(), received_ms)
    return Entry(owner, arrival, is_newest)


async def test_ids_answer_in_the_order_appended(db: Database) -> None:
    async with db.writing() as connection:
        owner = await host_id(connection)
        ids = await hot.append(connection, [entry(owner, seq) for seq in range(1, 40)])
        assert ids == sorted(ids)
        logged = await hot.newest_after(connection, 0, 100)
    assert [item.body for item in logged] == [f"body {seq}".encode() for seq in range(1, 40)]


async def test_appending_nothing_is_nothing(db: Database) -> None:
    async with db.writing() as connection:
        assert await hot.append(connection, []) == []


async def test_the_log_itself_refuses_a_snapshot_twice(db: Database) -> None:
    """Whatever ingest believes: the key is unique in the database."""
    async with db.writing() as connection:
        owner = await host_id(connection)
        with pytest.raises(IntegrityError):
            await hot.append(connection, [entry(owner, 1), entry(owner, 1)])


async def test_what_is_there_already_is_told(db: Database) -> None:
    async with db.writing() as connection:
        owner = await host_id(connection)
        await hot.append(connection, [entry(owner, 1)])
        asked = [(owner, "boot-1", 1), (owner, "boot-1", 2), (owner, "boot-2", 1)]
        assert await hot.present(connection, asked) == {asked[0]: b"body 1"}


async def test_the_evaluation_reads_news_only_and_in_pages(db: Database) -> None:
    async with db.writing() as connection:
        owner = await host_id(connection)
        entries = [entry(owner, seq, is_newest=seq % 2 == 1) for seq in range(1, 8)]
        ids = await hot.append(connection, entries)
        first = await hot.newest_after(connection, 0, 2)
        rest = await hot.newest_after(connection, first[-1].id, 10)
    assert [item.id for item in (*first, *rest)] == ids[::2]


async def test_a_window_is_read_by_the_time_taken_page_by_page(db: Database) -> None:
    async with db.writing() as connection:
        owner = await host_id(connection)
        await hot.append(connection, [entry(owner, seq, received_ms=NOON_MS + 99) for seq in (5, 3, 4, 1)])
        window = Window(NOON_MS + 3, NOON_MS + 5, 1_000)
        first = await hot.window(connection, owner, window, after=(0, 0), limit=1)
        rest = await hot.window(connection, owner, window, after=(first[0].taken_ms, first[0].id), limit=9)
    assert [item.body for item in (*first, *rest)] == [b"body 3", b"body 4"]


async def test_pruning_takes_the_oldest_and_spares_what_a_host_is_known_by(db: Database) -> None:
    async with db.writing() as connection:
        owner = await host_id(connection)
        ids = await hot.append(connection, [entry(owner, seq, received_ms=NOON_MS + seq) for seq in range(1, 7)])
        host = (await hosts.with_ids(connection, [owner]))[0]
        await hosts.save(connection, [replace(host, latest_hot_id=ids[2], latest_good_hot_id=ids[0])])
        assert await hot.prune(connection, NOON_MS + 6, limit=2) == 2
        assert await hot.prune(connection, NOON_MS + 6, limit=2) == 1
        left = await hot.newest_after(connection, 0, 10)
    assert [item.id for item in left] == [ids[0], ids[2], ids[5]]


async def test_a_pruned_place_is_never_given_out_again(db: Database) -> None:
    async with db.writing() as connection:
        owner = await host_id(connection)
        before = await hot.append(connection, [entry(owner, 1)])
        await hot.prune(connection, NOON_MS + 1, limit=9)
        after = await hot.append(connection, [entry(owner, 2)])
    assert after[0] > before[0]


async def test_the_last_good_snapshot_is_where_its_host_says(db: Database) -> None:
    async with db.writing() as connection:
        owner = await host_id(connection)
        ids = await hot.append(connection, [entry(owner, 1), entry(owner, 2)])
        host = (await hosts.with_ids(connection, [owner]))[0]
        await hosts.save(connection, [replace(host, latest_hot_id=ids[1], latest_good_hot_id=ids[0])])
        found = await hot.last_good(connection, [owner])
    assert found[owner].body == b"body 1"


async def test_a_log_of_an_earlier_version_goes_on_behind_its_last_id(db: Database) -> None:
    """Also where that row is gone: a cursor may stand on it."""

    def through_the_earlier_version(connection: Connection) -> None:
        command.downgrade(schema._config(connection), "0003")
        command.upgrade(schema._config(connection), "head")

    async with db.writing() as connection:
        owner = await host_id(connection)
        before = await hot.append(connection, [entry(owner, 1), entry(owner, 2)])
        await hot.prune(connection, NOON_MS + 1, limit=9)
        await connection.run_sync(through_the_earlier_version)
        after = await hot.append(connection, [entry(owner, 3)])
    assert after[0] > before[-1]


async def test_it_is_known_from_when_to_when_the_log_has_what_no_chunk_holds(db: Database) -> None:
    async with db.writing() as connection:
        owner = await host_id(connection)
        assert await hot.extents(connection) == {}
        await hot.append(connection, [entry(owner, seq, received_ms=NOON_MS + 10) for seq in (3, 1, 7)])
        assert await hot.extents(connection) == {owner: (NOON_MS + 1, NOON_MS + 7)}
