"""Tokens remembered."""

import pytest

from collector.access.doorkeeper import Doorkeeper
from collector.access.token import Scope, Unauthenticated, issue
from collector.storage import tokens
from collector.storage.database import Database
from shared.token import digest_of
from tests.builders import NOON_MS


async def a_token(db: Database) -> str:
    text, grant = issue(Scope.PUSH, None, NOON_MS)
    async with db.writing() as connection:
        await tokens.add(connection, grant)
    return text


async def test_a_token_is_known_once_it_proved_good(db: Database) -> None:
    keeper, text = Doorkeeper(db), await a_token(db)
    assert keeper.known(digest_of(text)) is None
    grant = await keeper.require(text)
    assert keeper.known(digest_of(text)) == grant


async def test_no_other_secret_of_a_known_token_is_known(db: Database) -> None:
    keeper, text, other = Doorkeeper(db), await a_token(db), await a_token(db)
    await keeper.require(text)
    forged = text[:16] + other[16:]
    assert keeper.known(digest_of(forged)) is None
    with pytest.raises(Unauthenticated):
        await keeper.require(forged)
    with pytest.raises(Unauthenticated):
        await keeper.require("nonsense")


async def test_it_remembers_so_many_and_no_more(db: Database) -> None:
    keeper, texts = Doorkeeper(db, most=2), [await a_token(db) for _ in range(3)]
    for text in texts:
        await keeper.require(text)
    assert [keeper.known(digest_of(text)) is not None for text in texts] == [False, True, True]
