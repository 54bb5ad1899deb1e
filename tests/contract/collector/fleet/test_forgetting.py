"""Hosts that are no more."""

from typing import Any

from collector.access.token import Scope
from collector.fleet.forgetting import Forgotten, forget
from collector.fleet.host import Arrival
from collector.ingest.record import record
from collector.ingest.roster import Roster
from collector.storage import audit, hosts
from shared import wire
from shared.model import Snapshot
from tests.builders import a_pool, a_reading, a_snapshot
from tests.collecting import Collecting


async def forgotten(collector: Collecting, name: str = "lb1") -> Forgotten | None:
    return await forget(collector.db, name, "ops@admin", collector.clock())


async def names(collector: Collecting) -> list[str]:
    return [host["host"] for host in (await collector.get("/v1/hosts"))["items"]]


async def test_it_leaves_every_list_and_its_history_stays(collector: Collecting) -> None:
    await collector.push(a_snapshot(a_reading(255)), a_snapshot(a_reading(5), host="lb2"))
    assert await forgotten(collector) == Forgotten("lb1", [])
    assert await names(collector) == ["lb2"]
    assert [pool["host"] for pool in (await collector.get("/v1/pools"))["items"]] == ["lb2"]
    assert (await collector.get("/v1/hosts/lb1"))["state"] == "forgotten"
    pool = a_pool()
    question = {"host": "lb1", "local": "127.0.0.1", "peer": f"127.0.0.1:{pool.peer_port}"}
    points = (await collector.get("/v1/trend", **question, from_=collector.clock() / 1000 - 60))["points"]
    assert max(point["max"] or 0 for point in points) == 255


async def test_its_tokens_end_and_it_is_written_down_who_did_it(collector: Collecting) -> None:
    token = await collector.token(Scope.PUSH, "lb1")
    await collector.post(wire.encode(a_snapshot()), token)
    done = await forgotten(collector)
    assert done is not None
    assert len(done.revoked) == 1
    assert (await collector.post(wire.encode(a_snapshot(seq=2)), token))[0] == 401
    async with collector.db.reading() as connection:
        [deed] = await audit.newest(connection, limit=9)
    assert (deed.actor, deed.action, deed.host, deed.detail) == (
        "ops@admin",
        "host-forget",
        "lb1",
        {"token": done.revoked[0]},
    )


async def test_there_is_none_to_forget_twice(collector: Collecting) -> None:
    await collector.push(a_snapshot())
    assert await forgotten(collector)
    assert await forgotten(collector) is None
    assert await forgotten(collector, "lb9") is None


async def test_who_reports_again_is_there_again(collector: Collecting) -> None:
    await collector.push(a_snapshot())
    await forgotten(collector)
    collector.clock.turn(1)
    await collector.push(a_snapshot(seq=2, taken_at_ms=collector.clock()))
    assert await names(collector) == ["lb1"]
    assert (await collector.get("/v1/hosts/lb1"))["received"] == 2


async def test_what_was_under_way_does_not_bring_it_back(collector: Collecting) -> None:
    await collector.push(a_snapshot())
    await forgotten(collector)
    await collector.push(a_snapshot(seq=2))
    assert await names(collector) == []


async def test_another_process_that_takes_snapshots_hears_of_it(collector: Collecting) -> None:
    """Its roster knew the host as it was: it would go on counting, and the host would stay forgotten for ever."""
    roster = Roster()
    await recorded(collector, roster, a_snapshot())
    await forgotten(collector)
    collector.clock.turn(1)
    await recorded(collector, roster, a_snapshot(seq=2, taken_at_ms=collector.clock()))
    assert await names(collector) == ["lb1"]


async def recorded(collector: Collecting, roster: Roster, snapshot: Snapshot) -> Any:
    async with collector.db.writing() as connection:
        return await record(connection, [Arrival(snapshot, wire.encode(snapshot), collector.clock())], roster)


async def test_hosts_that_were_silent_longer_than_history_are_gone_for_good(collector: Collecting) -> None:
    await collector.push(a_snapshot(), a_snapshot(host="lb2"), a_snapshot(host="lb3"))
    await forgotten(collector)
    await forgotten(collector, "lb3")
    async with collector.db.writing() as connection:
        old, now_ms = collector.clock() + 1, collector.clock()
        assert await hosts.lapsed(connection, old, 9) == ["lb2"]
        assert await hosts.prunable(connection, old, now_ms, 9) == []
        prunable = await hosts.prunable(connection, old, now_ms + 1, 9)
        assert prunable == [1]  # The newest stays: its number must not be given again.
        await hosts.remove(connection, prunable)
        assert await hosts.by_name(connection, "lb1") is None
    collector.clock.turn(1)
    await collector.push(a_snapshot(seq=9, taken_at_ms=collector.clock()))
    async with collector.db.reading() as connection:
        back = await hosts.by_name(connection, "lb1")
    assert back
    assert (back.id > 3, back.received) == (True, 1)
