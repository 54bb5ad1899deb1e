"""Numbers of pools."""

import asyncio

from collector.history.tiers import DAY_MS
from collector.storage import hosts, pools
from collector.storage.database import AsyncConnection, Database
from shared.addresses import parse_ip
from shared.model import Kind
from tests.builders import NOON_MS, a_pool


async def test_a_pool_keeps_its_number_and_hosts_have_their_own(db: Database) -> None:
    async with db.writing() as connection:
        known = await hosts.ensure(connection, ["lb1", "lb2"])
        one, two = known["lb1"].id, known["lb2"].id
        await pools.add(connection, {one: {a_pool()}, two: {a_pool()}})
        first = await pools.of_hosts(connection, [one, two])
        await pools.add(connection, {one: {a_pool(), a_pool(kind=Kind.BIND)}})
        again = await pools.of_hosts(connection, [one, two])
        assert again[one][a_pool()] == first[one][a_pool()] != again[two][a_pool()]
        assert len(again[one]) == 2
        assert await pools.number(connection, one, a_pool()) == first[one][a_pool()]
        assert await pools.number(connection, one, a_pool(9)) is None
        assert await pools.highest(connection) >= 3
        assert await pools.numbered(connection, [first[two][a_pool()], 99]) == {
            first[two][a_pool()]: ("lb2", None, two, a_pool())
        }


async def test_who_leads_to_a_backend(db: Database) -> None:
    async with db.writing() as connection:
        known = await hosts.ensure(connection, ["lb1", "lb2"])
        await pools.add(connection, {host.id: {a_pool(9001), a_pool(9002)} for host in known.values()})
        found = await pools.numbered(connection, await pools.towards(connection, parse_ip("127.0.0.1"), 9001))
        assert sorted(name for name, *_ in found.values()) == ["lb1", "lb2"]
        assert len(await pools.towards(connection, parse_ip("127.0.0.1"), None)) == 4


async def lb1(connection: AsyncConnection) -> int:
    return (await hosts.ensure(connection, ["lb1"]))["lb1"].id


async def test_when_a_pool_was_last_seen_is_written_once_a_day(db: Database) -> None:
    async with db.writing() as connection:
        owner = await lb1(connection)
        first = await pools.note(connection, {owner: {a_pool()}}, NOON_MS)
        later = await pools.note(connection, {owner: {a_pool()}}, NOON_MS + DAY_MS)
        assert later == first == {owner: {a_pool(): pools.Numbered(first[owner][a_pool()].number, NOON_MS)}}
        next_day = await pools.note(connection, {owner: {a_pool()}}, NOON_MS + DAY_MS + 1)
        assert next_day[owner][a_pool()] == pools.Numbered(first[owner][a_pool()].number, NOON_MS + DAY_MS + 1)
        again = await pools.note(connection, {owner: {a_pool()}}, NOON_MS)
        assert again == next_day  # A late backlog says nothing about today.


async def test_a_number_is_forgotten_with_the_last_chunk_that_may_name_it_and_not_given_again(db: Database) -> None:
    async with db.writing() as connection:
        owner = await lb1(connection)
        first = (await pools.note(connection, {owner: {a_pool()}}, NOON_MS))[owner][a_pool()].number
        assert await pools.prune(connection, NOON_MS + DAY_MS, 9) == 0
        assert await pools.prune(connection, NOON_MS + DAY_MS + 1, 9) == 1
        assert (await pools.note(connection, {owner: {a_pool()}}, NOON_MS))[owner][a_pool()].number > first


async def test_pools_of_an_earlier_version_count_as_seen_now(db: Database) -> None:
    async with db.writing() as connection:
        owner = await lb1(connection)
        await pools.add(connection, {owner: {a_pool(9001), a_pool(9002)}})
        assert await pools.prune(connection, 2**52, 9) == 0
        assert [await pools.adopt(connection, NOON_MS, 1) for _ in range(3)] == [1, 1, 0]
        assert await pools.prune(connection, 2**52, 1) == 1


async def test_a_pool_that_comes_back_while_it_is_forgotten_has_a_new_number(db: Database) -> None:
    async with db.writing() as connection:
        owner = await lb1(connection)
        old = (await pools.note(connection, {owner: {a_pool()}}, NOON_MS))[owner][a_pool()].number

    async def noted() -> int:
        async with db.writing() as connection:
            found = await pools.note(connection, {owner: {a_pool()}}, NOON_MS + 9 * DAY_MS)
        return found[owner][a_pool()].number

    async with asyncio.TaskGroup() as tasks, db.writing() as connection:
        assert await pools.prune(connection, NOON_MS + 5 * DAY_MS, 9) == 1
        coming_back = tasks.create_task(noted())
        await asyncio.sleep(0.05)
    async with db.reading() as connection:
        assert await pools.number(connection, owner, a_pool()) == coming_back.result() > old


async def test_a_pool_that_has_just_come_back_is_not_forgotten(db: Database) -> None:
    async with db.writing() as connection:
        owner = await lb1(connection)
        old = (await pools.note(connection, {owner: {a_pool()}}, NOON_MS))[owner][a_pool()].number

    async def pruned() -> int:
        async with db.writing() as connection:
            return await pools.prune(connection, NOON_MS + 5 * DAY_MS, 9)

    async with asyncio.TaskGroup() as tasks, db.writing() as connection:
        await pools.note(connection, {owner: {a_pool()}}, NOON_MS + 9 * DAY_MS)
        forgetting = tasks.create_task(pruned())
        await asyncio.sleep(0.05)
    assert forgetting.result() == 0
    async with db.reading() as connection:
        assert await pools.number(connection, owner, a_pool()) == old
