"""A database that an earlier version filled goes on where it was."""

from typing import Any

from alembic import command
from sqlalchemy import Connection, MetaData, Table, insert

from collector.alerts.step import AlertState
from collector.alerts.subject import of_pool
from collector.storage import alerts, hosts, outbox, pools, schema
from collector.storage.database import AsyncConnection, Database
from tests.builders import NOON_MS, a_pool

COUNTS = {"received": 1, "duplicates": 0, "missing": 0, "last_seq": 1, "latest_hot_id": 0, "latest_good_hot_id": 0}
TIMES = {"last_seen_ms": NOON_MS, "latest_received_ms": NOON_MS, "latest_taken_ms": NOON_MS, "skew_ms": 0}
HOST = {"id": 3, "name": "lb1", **COUNTS, **TIMES, "boot_id": "b", "interval_ms": 9, "agent_version": "", "labels": {}}
POOL = {"netns": "host", "kind": "connect", "local": b"\x7f\0\0\1", "peer": b"\x7f\0\0\1", "peer_port": 9001}
READING = {"held": 255, "capacity": 300, "headroom_min": 45, "headroom_max": 45, "states": {"ESTABLISHED": 255}}
FIRED = {"state": "firing", "since_ms": NOON_MS, "fired_ms": NOON_MS, "at_ms": NOON_MS, "is_bound": False}
ALERT = {"id": 7, "host_id": 3, "rule": "hot", "severity": "critical", **POOL, **READING, **FIRED}
MOVED = {"id": 8, "alert_id": 7, "at_ms": NOON_MS, "before": "ok", "after": "firing", "held": 255, "capacity": 300}
TIMING = {"created_ms": NOON_MS, "attempts": 0, "next_attempt_ms": NOON_MS}
OWED = {"id": 9, "key": "k", "channel": "log", "alert_id": 7, "document": {"n": 1}, **TIMING}


async def test_an_alert_that_fired_goes_on_firing_and_what_was_owed_is_owed(db: Database) -> None:
    async with db.writing() as connection:
        await connection.run_sync(_filled_by_an_earlier_version)
        await _check(connection)


def _filled_by_an_earlier_version(connection: Connection) -> None:
    command.downgrade(schema._config(connection), "0002")
    for name, row in (("host", HOST), ("alert", ALERT), ("transition", MOVED), ("outbox", OWED)):
        _put(connection, name, row)
    command.upgrade(schema._config(connection), "head")


def _put(connection: Connection, name: str, row: dict[str, Any]) -> None:
    connection.execute(insert(Table(name, MetaData(), autoload_with=connection)), [row])


async def _check(connection: AsyncConnection) -> None:
    [case] = await alerts.current(connection)
    assert (case.subject, case.severity) == (of_pool("lb1", a_pool()), "page")
    assert (case.alert.state, case.alert.fired_ms) == (AlertState.FIRING, NOON_MS)
    assert case.seen.reading
    assert case.seen.reading.held == 255
    assert [item.held for item in await alerts.history(connection, limit=9)] == [255]
    assert [owed.id for owed in await outbox.due(connection, "log", NOON_MS, 9)] == [9]


async def test_pools_that_have_numbers_keep_them_and_count_as_seen_now(db: Database) -> None:
    async with db.writing() as connection:
        await connection.run_sync(_filled_with_a_pool)
        assert (await hosts.with_ids(connection, [3]))[0].forgotten_ms is None
        assert await pools.prune(connection, 2**52, 9) == 0
        assert await pools.adopt(connection, NOON_MS, 9) == 1
        assert await pools.entries(connection, [3]) == {3: {a_pool(): pools.Numbered(7, NOON_MS)}}


def _filled_with_a_pool(connection: Connection) -> None:
    command.downgrade(schema._config(connection), "0009")
    _put(connection, "host", HOST)
    _put(connection, "pool", {"id": 7, "host_id": 3, **POOL})
    command.upgrade(schema._config(connection), "head")
