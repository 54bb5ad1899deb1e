"""Who did what, kept."""

from collector.storage import audit
from collector.storage.audit import Deed
from collector.storage.database import Database
from tests.builders import NOON_MS


async def test_deeds_come_back_newest_first_until_they_are_pruned(db: Database) -> None:
    first = Deed(at_ms=NOON_MS, actor="ops@desk", action="token-create", detail={"token": "0a", "role": None})
    second = Deed(at_ms=NOON_MS + 1, actor="token 0a", action="enrol", host="lb1")
    async with db.writing() as connection:
        for deed in (first, second):
            await audit.note(connection, deed)
        assert await audit.newest(connection, limit=9) == [second, first]
        assert await audit.newest(connection, limit=1) == [second]
        assert await audit.newest(connection, limit=9, host="lb1") == [second]
        assert await audit.prune(connection, NOON_MS + 1) == 1
        assert await audit.newest(connection, limit=9) == [second]
