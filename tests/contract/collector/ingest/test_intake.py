"""Group commit."""

import asyncio

import pytest

from collector.access.token import Scope, Unauthenticated, issue
from collector.fleet.host import Arrival
from collector.ingest.intake import Intake, Waiting
from collector.loops import background
from collector.metrics import Metrics
from collector.storage import hosts, tokens
from collector.storage.database import Database
from collector.storage.errors import DatabaseUnusable
from shared import wire
from tests.builders import NOON_MS, a_snapshot


def arrivals(count: int) -> list[Arrival]:
    snapshots = [a_snapshot(host=f"lb{number}") for number in range(count)]
    return [Arrival(snapshot, wire.encode(snapshot), NOON_MS) for snapshot in snapshots]


async def a_token(db: Database) -> str:
    _, grant = issue(Scope.PUSH, None, NOON_MS)
    async with db.writing() as connection:
        await tokens.add(connection, grant)
    return grant.id


async def test_those_who_wait_share_a_transaction(db: Database) -> None:
    """A sync takes milliseconds: one each would bound the fleet to a few hundred reports a second."""
    commits = 0

    def count() -> None:
        nonlocal commits
        commits += 1

    token = await a_token(db)
    intake = Intake(db, Metrics(), on_commit=count)
    async with background({"intake": intake.commit_forever()}):
        assert await asyncio.gather(*(intake.take(arrival, token) for arrival in arrivals(200))) == [False] * 200
    assert commits <= 3
    async with db.reading() as connection:
        assert await hosts.count(connection) == 200


async def test_a_lone_snapshot_does_not_wait_for_company(db: Database) -> None:
    token = await a_token(db)
    intake = Intake(db, Metrics(), on_commit=lambda: None)
    async with background({"intake": intake.commit_forever()}), asyncio.timeout(1):
        assert await intake.take(arrivals(1)[0], token) is False


async def test_what_cannot_be_kept_is_not_acknowledged(sqlite: Database) -> None:
    """And the loop goes on: the disk may have room again in a minute."""
    token = await a_token(sqlite)
    intake = Intake(sqlite, Metrics(), on_commit=lambda: None)
    async with background({"intake": intake.commit_forever()}):
        async with sqlite.writing() as connection:
            await connection.exec_driver_sql("ALTER TABLE hot RENAME TO gone")
        with pytest.raises(DatabaseUnusable):
            await intake.take(arrivals(1)[0], token)
        async with sqlite.writing() as connection:
            await connection.exec_driver_sql("ALTER TABLE gone RENAME TO hot")
        assert await intake.take(arrivals(1)[0], token) is False


async def test_a_token_revoked_since_it_was_asked_for_is_refused_and_its_batch_is_not(db: Database) -> None:
    good, revoked = await a_token(db), await a_token(db)
    async with db.writing() as connection:
        await tokens.revoke(connection, revoked, NOON_MS)
    intake = Intake(db, Metrics(), on_commit=lambda: None)
    first, second = arrivals(2)
    told: list[object] = []
    intake.submit(Waiting(first, revoked, told.append))
    async with background({"intake": intake.commit_forever()}):
        assert await intake.take(second, good) is False
    assert [type(outcome) for outcome in told] == [Unauthenticated]
    async with db.reading() as connection:
        assert [host.name for host in await hosts.all_hosts(connection)] == ["lb1"]
