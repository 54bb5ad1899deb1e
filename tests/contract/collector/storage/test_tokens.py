"""Tokens, kept."""

from collector.access.token import Scope, issue
from collector.storage import tokens
from collector.storage.database import Database
from shared.token import parse
from tests.builders import NOON_MS


async def test_a_token_is_found_by_its_id(db: Database) -> None:
    _, grant = issue(Scope.PUSH, "lb1", NOON_MS)
    async with db.writing() as connection:
        await tokens.add(connection, grant)
    async with db.reading() as connection:
        assert await tokens.find(connection, grant.id) == grant
        assert await tokens.find(connection, "nobody") is None
        assert await tokens.all_tokens(connection) == [grant]


async def test_a_token_is_revoked_once(db: Database) -> None:
    _, grant = issue(Scope.READ, None, NOON_MS)
    async with db.writing() as connection:
        await tokens.add(connection, grant)
        assert await tokens.revoke(connection, grant.id, NOON_MS + 1)
        assert not await tokens.revoke(connection, grant.id, NOON_MS + 2)
        assert not await tokens.revoke(connection, "nobody", NOON_MS)
        found = await tokens.find(connection, grant.id)
    assert found
    assert found.revoked_ms == NOON_MS + 1


async def test_no_secret_reaches_the_disk(sqlite: Database) -> None:
    text, grant = issue(Scope.READ, None, NOON_MS)
    async with sqlite.writing() as connection:
        await tokens.add(connection, grant)
    assert sqlite.location.file
    files = sqlite.location.file.parent.glob("history.db*")
    parsed = parse(text)
    assert parsed
    assert all(parsed[1].encode() not in file.read_bytes() for file in files)
