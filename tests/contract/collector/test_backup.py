"""Lost and restored by the lines of docs/rollout.md: what was known is known, and the fleet pushes on."""

import asyncio
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from collector.storage.database import database
from collector.storage.location import Location
from shared import wire
from tests.builders import NOON_MS, a_reading, a_snapshot
from tests.by_the_book import follow
from tests.collecting import Collecting, collecting
from tests.postgres import Cluster

BACKED_UP, LOST, NEXT = range(60, 63)
"""Numbers of snapshots: the last that the backup has, one that was acknowledged after it, the next that comes."""


@dataclass(slots=True, kw_only=True)
class Store:
    """A database, and how it is lost. `kind` is what the document calls it, `address` what its lines take."""

    kind: str
    location: Location
    address: str
    lose: Callable[[], None]
    backup: Path

    def follow(self, task: str) -> None:
        """Do what the document says."""
        follow(self.kind, task, address=self.address, backup=self.backup)


@pytest.fixture
def sqlite_store(sqlite_location: Location, tmp_path: Path) -> Store:
    """Lost as by a disk that gave up: the file is no database any more, its log is left as a crash leaves it."""
    if shutil.which("sqlite3") is None:
        pytest.skip("no sqlite3 here (make deps installs it): no backup is made")
    file, saved = Path(str(sqlite_location)), tmp_path / "wal"

    def lose() -> None:
        file.write_bytes(b"\0" * 8192)
        shutil.copy(saved, f"{file}-wal")

    return Store(kind="sqlite", location=sqlite_location, address=str(file), lose=lose, backup=tmp_path / "backup")


@pytest.fixture
def postgresql_store(postgresql: Cluster, postgresql_location: Location, tmp_path: Path) -> Store:
    name = postgresql_location.url.database
    assert name

    def lose() -> None:
        postgresql.drop(name)
        postgresql.new_database(name=name)

    return Store(
        kind="postgresql",
        location=postgresql_location,
        address=postgresql.url(name),
        lose=lose,
        backup=tmp_path / "backup",
    )


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest) -> Store:
    found: Store = request.getfixturevalue(f"{request.param}_store")
    return found


async def push(collector: Collecting, seq: int, held: int, token: str | None = None) -> None:
    snapshot = a_snapshot(a_reading(held), seq=seq, taken_at_ms=collector.clock())
    assert (await collector.post(wire.encode(snapshot), token))[0] == 202


async def known(collector: Collecting) -> dict[str, Any]:
    """What a person could ask, up to the backup."""
    course = await collector.get(
        "/v1/trend",
        host="lb1",
        local="127.0.0.1",
        peer="127.0.0.1:9001",
        from_=NOON_MS // 1000,
        to=NOON_MS // 1000 + 7_200,
    )
    return {
        "course": course["points"],
        "storage": (await collector.get("/v1/storage"))["tiers"],
        "alerts": (await collector.get("/v1/alerts"))["items"],
        "transitions": (await collector.get("/v1/transitions"))["items"],
        "notices": (await collector.get("/v1/notices"))["items"],
    }


async def test_what_was_backed_up_is_there_after_a_loss_and_the_fleet_pushes_on(store: Store, tmp_path: Path) -> None:
    async with database(store.location) as db, collecting(db) as collector:
        given = dict(collector.tokens)
        for seq in range(BACKED_UP):
            await push(collector, seq, held=100 + seq)
            collector.clock.turn(60)
        await push(collector, BACKED_UP, held=270)
        await collector.evaluate()
        collector.clock.turn(3_600)
        await collector.compact()
        before = await known(collector)
        await asyncio.to_thread(store.follow, "back up")
        await push(collector, LOST, held=280)
        now_ms = collector.clock()
        if store.location.file:
            shutil.copy(f"{store.location.file}-wal", tmp_path / "wal")
    store.lose()

    await asyncio.to_thread(store.follow, "restore")

    async with database(store.location) as db, collecting(db) as collector:
        collector.clock.now_ms = now_ms
        collector.tokens = given
        assert await known(collector) == before
        await push(collector, NEXT, held=20)
        await collector.evaluate()
        (alert,) = [one for one in (await collector.get("/v1/alerts"))["items"] if one["rule"] == "hot"]
        host = await collector.get("/v1/hosts/lb1")
    assert [one["state"] for one in before["alerts"] if one["rule"] == "hot"] == ["firing"]
    assert any(tier["oldest_ms"] for tier in before["storage"])
    assert sum(point["max"] is not None for point in before["course"]) > BACKED_UP
    assert alert["state"] != "firing"
    assert (host["last_seq"], host["missing"]) == (NEXT, 1)
