"""Notices owed."""

from collector.alerts.incidents import Change, Incident
from collector.alerts.notice import Notice
from collector.storage import incidents, outbox
from collector.storage.database import AsyncConnection, Database
from tests.builders import NOON_MS


async def owe(connection: AsyncConnection, key: str, *, thread: str = "t", channels: tuple[str, ...] = ("w",)) -> None:
    await outbox.put(connection, Notice(key, thread, {"n": key}), channels, NOON_MS)


async def keys_due(connection: AsyncConnection, channel: str = "w", now_ms: int = NOON_MS) -> list[str]:
    return [owed.key for owed in await outbox.due(connection, channel, now_ms, 10)]


async def test_every_channel_is_owed_its_own(db: Database) -> None:
    async with db.writing() as connection:
        await owe(connection, "a", channels=("log", "w"))
        [owed] = await outbox.due(connection, "log", NOON_MS, 10)
        await outbox.record_delivered(connection, owed, NOON_MS, "logged")
        assert owed.document == {"n": "a"}
        assert await keys_due(connection, "log") == []
        assert await keys_due(connection, "w") == ["a"]
        assert await outbox.count_owed(connection) == {"w": 1}


async def test_a_notice_waits_for_the_earlier_ones_of_its_thread_only(db: Database) -> None:
    """Nobody hears `firing` after `resolved`; and one incident's trouble is not another's."""
    async with db.writing() as connection:
        await owe(connection, "fired")
        await owe(connection, "resolved")
        await owe(connection, "another", thread="u")
        assert await keys_due(connection) == ["fired", "another"]
        owed = (await outbox.due(connection, "w", NOON_MS, 10))[0]
        await outbox.record_delivered(connection, owed, NOON_MS, "HTTP 200")
        assert await keys_due(connection) == ["resolved", "another"]


async def test_a_failure_is_tried_again_when_its_time_comes(db: Database) -> None:
    async with db.writing() as connection:
        await owe(connection, "a")
        [owed] = await outbox.due(connection, "w", NOON_MS, 10)
        assert await outbox.claim(connection, owed, NOON_MS)
        await outbox.record_failed(connection, owed, NOON_MS, "HTTP 503", NOON_MS + 500)
        assert await keys_due(connection, now_ms=NOON_MS + 499) == []
        [again] = await outbox.due(connection, "w", NOON_MS + 500, 10)
    assert again.attempts == 1


async def test_what_is_given_up_lets_later_notices_through(db: Database) -> None:
    async with db.writing() as connection:
        await owe(connection, "fired")
        await owe(connection, "resolved")
        [owed] = await outbox.due(connection, "w", NOON_MS, 10)
        await outbox.record_failed(connection, owed, NOON_MS, "HTTP 404", None)
        assert await keys_due(connection) == ["resolved"]


async def test_each_attempt_is_written_down(db: Database) -> None:
    async with db.writing() as connection:
        await owe(connection, "a")
        [owed] = await outbox.due(connection, "w", NOON_MS, 10)
        await outbox.record_failed(connection, owed, NOON_MS, "HTTP 503", NOON_MS)
        await outbox.record_delivered(connection, owed, NOON_MS + 1, "HTTP 200")
        rows = await connection.exec_driver_sql("SELECT at_ms, succeeded, detail FROM attempt ORDER BY id")
        assert [tuple(row) for row in rows] == [(NOON_MS, 0, "HTTP 503"), (NOON_MS + 1, 1, "HTTP 200")]


async def test_channels_that_are_gone_are_owed_nothing(db: Database) -> None:
    async with db.writing() as connection:
        await owe(connection, "a", channels=("log", "old"))
        assert await outbox.give_up_on_strangers(connection, ["log"], NOON_MS) == 1
        assert await outbox.count_owed(connection) == {"log": 1}


async def test_what_is_told_is_forgotten_and_what_is_owed_is_not(db: Database) -> None:
    async with db.writing() as connection:
        await owe(connection, "a", channels=("log", "w"))
        [owed] = await outbox.due(connection, "log", NOON_MS, 10)
        await outbox.record_delivered(connection, owed, NOON_MS, "logged")
        assert await outbox.prune(connection, NOON_MS) == 0
        assert await outbox.prune(connection, NOON_MS + 1) == 1
        assert await keys_due(connection, "w") == ["a"]


async def test_an_attempt_is_begun_by_one_only(db: Database) -> None:
    """Two collectors at once, one of them paused in between: whoever claims second goes without."""
    async with db.writing() as connection:
        await owe(connection, "a")
        [seen] = await outbox.due(connection, "w", NOON_MS, 10)
        assert await outbox.claim(connection, seen, NOON_MS + 15_000)
        assert not await outbox.claim(connection, seen, NOON_MS + 15_000)
        assert await keys_due(connection, now_ms=NOON_MS + 14_999) == []
        assert await keys_due(connection, now_ms=NOON_MS + 15_000) == ["a"]
        await outbox.record_delivered(connection, seen, NOON_MS, "HTTP 200")
        assert not await outbox.claim(connection, seen, NOON_MS + 30_000)


async def test_how_long_a_channel_has_been_failing(db: Database) -> None:
    async with db.writing() as connection:
        await owe(connection, "a", channels=("log", "w"))
        assert await outbox.failing_for_s(connection, ["log", "w"], NOON_MS + 9_000) == {"log": 0.0, "w": 0.0}
        [seen] = await outbox.due(connection, "w", NOON_MS, 10)
        await outbox.claim(connection, seen, NOON_MS)
        await outbox.record_failed(connection, seen, NOON_MS, "HTTP 503", NOON_MS + 500)
        assert await outbox.failing_for_s(connection, ["log", "w"], NOON_MS + 9_000) == {"log": 0.0, "w": 9.0}


async def test_what_a_channel_is_owed_already_is_not_owed_again(db: Database) -> None:
    async with db.writing() as connection:
        await owe(connection, "a", channels=("log",))
        await owe(connection, "a", channels=("log", "w"))
        assert await outbox.count_owed(connection) == {"log": 1, "w": 1}


async def test_the_notices_of_an_open_incident_are_kept_however_old_and_told_again(db: Database) -> None:
    """Or an Alertmanager would take a two-day incident for over."""
    incident = Incident(severity="page", cause="backend x", opened_ms=NOON_MS)
    async with db.writing() as connection:
        await incidents.write(connection, [Change(incident, None, ())], NOON_MS)
        await owe(connection, "old", thread=incident.key)
        await owe(connection, "new", thread=incident.key)
        for owed in [*await outbox.due(connection, "w", NOON_MS, 10), *await outbox.due(connection, "w", NOON_MS, 10)]:
            await outbox.record_delivered(connection, owed, NOON_MS, "HTTP 200")
        assert await outbox.prune(connection, NOON_MS + 1) == 0
        assert await outbox.newest_of_incidents(connection, "w", NOON_MS) == [{"n": "new"}]
        await incidents.write(connection, [Change(incident, None, (), is_over=True)], NOON_MS + 5)
        assert await outbox.newest_of_incidents(connection, "w", NOON_MS + 5) == [{"n": "new"}]
        assert await outbox.newest_of_incidents(connection, "w", NOON_MS + 6) == []
        assert await outbox.prune(connection, NOON_MS + 1) >= 1
