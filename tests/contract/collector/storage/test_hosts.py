"""Hosts, kept."""

from msgspec.structs import replace

from collector.fleet.host import Boot, Host
from collector.storage import hosts
from collector.storage.database import Database
from tests.builders import NOON_MS

FULL = {
    "received": 5,
    "duplicates": 2,
    "missing": 1,
    "last_seen_ms": NOON_MS,
    "boot_id": "boot-1",
    "last_seq": 2**53 - 1,
    "latest_hot_id": 2**40,
    "latest_good_hot_id": 3,
    "latest_received_ms": NOON_MS,
    "latest_taken_ms": NOON_MS - 1,
    "skew_ms": -5,
    "interval_ms": 10_000,
    "agent_version": "0.1.0",
    "labels": {"role": "edge", "site": "fra-ü"},
    "failure": "no netlink",
}


async def test_a_host_comes_back_as_it_was_saved(db: Database) -> None:
    async with db.writing() as connection:
        made = (await hosts.ensure(connection, ["lb1", "lb2"]))["lb1"]
        full = replace(made, **FULL)
        await hosts.save(connection, [full])
    async with db.reading() as connection:
        assert await hosts.by_name(connection, "lb1") == full
        assert await hosts.with_ids(connection, [full.id]) == [full]
        assert [host.name for host in await hosts.all_hosts(connection)] == ["lb1", "lb2"]
        assert await hosts.count(connection) == 2


async def test_asking_for_a_host_twice_makes_it_once(db: Database) -> None:
    async with db.writing() as connection:
        first = await hosts.ensure(connection, ["lb1"])
        assert await hosts.ensure(connection, ["lb1"]) == first
        assert first["lb1"] == Host(id=first["lb1"].id, name="lb1")


async def test_boots_are_updated_or_added(db: Database) -> None:
    async with db.writing() as connection:
        host_id = (await hosts.ensure(connection, ["lb1"]))["lb1"].id
        a, b = (host_id, "a"), (host_id, "b")
        await hosts.save_boots(connection, [], {a: Boot(1, 1)}, NOON_MS)
        await hosts.save_boots(connection, [a], {a: Boot(1, 9), b: Boot(4, 4)}, NOON_MS)
        assert await hosts.boots(connection, {a, b, (host_id, "c")}) == {a: Boot(1, 9), b: Boot(4, 4)}


async def test_old_boots_are_forgotten_but_never_the_present_one(db: Database) -> None:
    async with db.writing() as connection:
        host = (await hosts.ensure(connection, ["lb1"]))["lb1"]
        await hosts.save(connection, [replace(host, boot_id="now")])
        boots = {(host.id, name): Boot(1, 1) for name in ("old", "now")}
        await hosts.save_boots(connection, [], boots, NOON_MS)
        assert await hosts.prune_boots(connection, NOON_MS) == 0
        assert await hosts.prune_boots(connection, NOON_MS + 1) == 1
        assert await hosts.boots(connection, boots) == {(host.id, "now"): Boot(1, 1)}
