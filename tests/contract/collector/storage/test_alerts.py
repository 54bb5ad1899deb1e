"""Alerts, kept."""

from dataclasses import replace

from collector.alerts.evaluate import Case, Verdict
from collector.alerts.observe import Observation
from collector.alerts.step import Alert, AlertState, Told, Transition
from collector.storage import alerts, hosts
from collector.storage.database import AsyncConnection, Database
from shared.model import Reading
from shared.tcp import State
from tests.builders import NOON_MS, a_pool, a_reading

FIRING = Alert(AlertState.FIRING, NOON_MS, NOON_MS - 5, NOON_MS)


async def host_id(connection: AsyncConnection) -> int:
    return (await hosts.ensure(connection, ["lb1"]))["lb1"].id


def a_case(reading: Reading | None = None, alert: Alert = FIRING) -> Case:
    seen = Observation(reading or a_reading(255))
    return Case(rule="hot", severity="critical", pool=seen.reading.pool, alert=alert, seen=seen, seen_ms=NOON_MS)


def fired(case: Case) -> Verdict:
    return Verdict(case, Transition(AlertState.OK, AlertState.FIRING, NOON_MS, Told.FIRING, NOON_MS))


async def test_a_case_comes_back_as_it_was_written(db: Database) -> None:
    reading = a_reading(30, pool=a_pool(local="fd00::1", peer="fd00::2"), states={State.TIME_WAIT: 30})
    case = replace(a_case(reading), seen=Observation(reading, is_bound=True))
    async with db.writing() as connection:
        owner = await host_id(connection)
        await alerts.write(connection, owner, Verdict(case, None))
        assert await alerts.of_hosts(connection, [owner, 99]) == {owner: {case.subject: case}, 99: {}}


async def test_writing_a_case_again_changes_its_row(db: Database) -> None:
    """The id stays: notices hang on it."""
    async with db.writing() as connection:
        owner = await host_id(connection)
        first = await alerts.write(connection, owner, fired(a_case()))
        again = await alerts.write(connection, owner, Verdict(a_case(alert=Alert(AlertState.OK, NOON_MS)), None))
        assert first == again
        assert [item.case.alert.state for item in await alerts.current(connection)] == [AlertState.OK]


async def test_the_hottest_comes_first(db: Database) -> None:
    async with db.writing() as connection:
        owner = await host_id(connection)
        for port, held in ((9001, 256), (9002, 300), (9003, 270)):
            await alerts.write(connection, owner, fired(a_case(a_reading(held, pool=a_pool(port)))))
        items = await alerts.current(connection, [AlertState.FIRING])
    assert [(item.host, item.case.pool.peer_port) for item in items] == [("lb1", 9002), ("lb1", 9003), ("lb1", 9001)]


async def test_history_is_told_newest_first(db: Database) -> None:
    async with db.writing() as connection:
        owner = await host_id(connection)
        await alerts.write(connection, owner, fired(a_case()))
        back = Transition(AlertState.FIRING, AlertState.OK, NOON_MS + 9, Told.RESOLVED, NOON_MS)
        await alerts.write(connection, owner, Verdict(a_case(a_reading(5), Alert(AlertState.OK, NOON_MS + 9)), back))
        items = await alerts.history(connection, limit=10, host_name="lb1")
        assert [(item.before, item.after, item.held) for item in items] == [
            (AlertState.FIRING, AlertState.OK, 5),
            (AlertState.OK, AlertState.FIRING, 255),
        ]
        assert len(await alerts.history(connection, limit=1)) == 1
        assert await alerts.history(connection, limit=10, host_name="lb2") == []


async def test_only_hosts_that_claim_to_know_something_can_fall_silent(db: Database) -> None:
    async with db.writing() as connection:
        owner = await host_id(connection)
        await alerts.write(connection, owner, fired(a_case()))
        assert await alerts.hosts_not_unknown(connection) == {owner}
        await alerts.write(connection, owner, Verdict(a_case(alert=Alert(AlertState.UNKNOWN, NOON_MS)), None))
        assert await alerts.hosts_not_unknown(connection) == set()


async def test_cases_are_counted_by_severity_and_state(db: Database) -> None:
    async with db.writing() as connection:
        owner = await host_id(connection)
        await alerts.write(connection, owner, fired(a_case()))
        assert await alerts.count_by_state(connection) == {("critical", "firing"): 1}


async def test_what_is_firing_is_never_forgotten(db: Database) -> None:
    later_ms = NOON_MS + 10**9
    async with db.writing() as connection:
        owner = await host_id(connection)
        unknown = Alert(AlertState.UNKNOWN, NOON_MS, None, NOON_MS)
        await alerts.write(connection, owner, fired(a_case()))
        await alerts.write(connection, owner, Verdict(a_case(a_reading(9, pool=a_pool(9002)), unknown), None))
        await alerts.prune(connection, later_ms)
        assert len(await alerts.current(connection)) == 2
        assert await alerts.history(connection, limit=9) == []


async def test_what_is_calm_for_long_is_forgotten(db: Database) -> None:
    async with db.writing() as connection:
        owner = await host_id(connection)
        await alerts.write(connection, owner, Verdict(a_case(alert=Alert(AlertState.OK, NOON_MS)), None))
        assert await alerts.prune(connection, NOON_MS) == 0
        assert await alerts.prune(connection, NOON_MS + 1) == 1
