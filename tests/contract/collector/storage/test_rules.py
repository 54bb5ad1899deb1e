"""Rules made by the API, kept."""

import pytest
from sqlalchemy import update

from collector.alerts.builtin import BUILT_IN
from collector.alerts.rules import Rule
from collector.alerts.ruleset import Made
from collector.alerts.where import Where
from collector.storage import rules, tables
from collector.storage.database import Database
from tests.builders import NOON_MS

MINE = Rule(
    name="mine", severity="page", raise_at=0.5, where=Where(role=("edge",), labels={"dc": "a*"}), channels=("ops",)
)


async def test_a_rule_comes_back_as_it_was_made_and_is_replaced_by_its_successor(db: Database) -> None:
    async with db.writing() as connection:
        assert await rules.put(connection, MINE, "token a", NOON_MS) is True
        assert await rules.all_made(connection) == [Made(MINE, "token a", NOON_MS)]
        later = Rule(name="mine", severity="plan", raise_at=0.6)
        assert await rules.put(connection, later, "token b", NOON_MS + 1) is False
        assert await rules.all_made(connection) == [Made(later, "token b", NOON_MS + 1)]
        assert await rules.remove(connection, "mine") is True
        assert (await rules.remove(connection, "mine"), await rules.count(connection)) == (False, 0)


async def test_every_kind_of_rule_can_be_kept(db: Database) -> None:
    async with db.writing() as connection:
        for rule in BUILT_IN:
            await rules.put(connection, rule, "token a", NOON_MS)
        kept = [one.rule for one in await rules.all_made(connection)]
    assert kept == sorted(BUILT_IN, key=lambda rule: rule.name)


async def test_one_that_this_version_cannot_use_is_told_and_the_others_hold(
    db: Database, caplog: pytest.LogCaptureFixture
) -> None:
    async with db.writing() as connection:
        for name in ("a", "b"):
            await rules.put(connection, Rule(name=name, severity="page", raise_at=0.5), "token a", NOON_MS)
        document = {"name": "a", "severity": "page", "condition": "to-come", "raise_at": 1.0}
        await connection.execute(update(tables.rule).where(tables.rule.c.name == "a").values(document=document))
        assert [one.rule.name for one in await rules.all_made(connection)] == ["b"]
    assert "a rule cannot be used, and is not watched" in caplog.text
