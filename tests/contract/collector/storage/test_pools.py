"""Numbers of pools."""

from collector.storage import hosts, pools
from collector.storage.database import Database
from shared.addresses import parse_ip
from shared.model import Kind
from tests.builders import a_pool


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
        found = await pools.towards(connection, parse_ip("127.0.0.1"), 9001)
        assert sorted(found.values()) == ["lb1", "lb2"]
        assert len(await pools.towards(connection, parse_ip("127.0.0.1"), None)) == 4
