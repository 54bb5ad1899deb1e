"""Silences, kept."""

from dataclasses import replace

from collector.alerts.silences import Silence
from collector.alerts.where import Where
from collector.storage import silences
from collector.storage.database import Database
from tests.builders import NOON_MS

HOUR_MS = 3_600_000
SILENCE = Silence(
    author="ops",
    reason="upgrade",
    created_ms=NOON_MS,
    starts_ms=NOON_MS + HOUR_MS,
    ends_ms=NOON_MS + 2 * HOUR_MS,
    where=Where(host=("lb*",), labels={"site": "eu"}, peer=("10.0.0.0/8",)),
    rule=("hot",),
    severity=("page",),
)


async def test_a_silence_comes_back_as_it_was_written_until_it_ends(db: Database) -> None:
    async with db.writing() as connection:
        silence_id = await silences.add(connection, SILENCE)
        assert await silences.current(connection, NOON_MS) == [replace(SILENCE, id=silence_id)]
        assert await silences.current(connection, SILENCE.ends_ms) == []


async def test_those_of_a_window_are_found_when_they_are_over_but_none_that_never_began(db: Database) -> None:
    async with db.writing() as connection:
        over, never = [await silences.add(connection, SILENCE) for _ in range(2)]
        assert await silences.expire(connection, never, NOON_MS)
        assert await silences.expire(connection, over, NOON_MS + HOUR_MS + 60_000)
        found = await silences.within(connection, NOON_MS, NOON_MS + 2 * HOUR_MS)
        assert [(one.id, one.ends_ms) for one in found] == [(over, NOON_MS + HOUR_MS + 60_000)]
        assert await silences.within(connection, NOON_MS, NOON_MS + HOUR_MS) == []
        assert await silences.within(connection, NOON_MS + HOUR_MS + 60_000, NOON_MS + 2 * HOUR_MS) == []


async def test_a_silence_ends_once(db: Database) -> None:
    async with db.writing() as connection:
        silence_id = await silences.add(connection, SILENCE)
        assert await silences.expire(connection, silence_id, NOON_MS)
        assert not await silences.expire(connection, silence_id, NOON_MS)
        assert await silences.current(connection, NOON_MS) == []
        assert await silences.prune(connection, NOON_MS + 1) == 1
