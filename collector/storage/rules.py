"""Rules made by the API."""

import logging
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import delete, exists, func, select

from collector.alerts.rules import Rule
from collector.alerts.ruleset import Made
from collector.storage import tables, upsert
from collector.storage.database import AsyncConnection
from shared.logs import fields
from shared.settings import SettingsError, build

rule = tables.rule
log = logging.getLogger(__name__)

Written = tuple[tuple[str, dict[str, Any], str, int], ...]
"""Rows as they stand: what is the same has not changed."""


async def written(db: AsyncConnection) -> Written:
    """Every row, by name."""
    query = select(rule.c.name, rule.c.document, rule.c.author, rule.c.changed_ms).order_by(rule.c.name)
    return tuple((row.name, row.document, row.author, row.changed_ms) for row in await db.execute(query))


def read(rows: Written) -> list[Made]:
    """The rules; one that this version cannot use is told in the log and left out."""
    made = []
    for name, document, author, changed_ms in rows:
        try:
            made.append(Made(build(Rule, document, "database"), author, changed_ms))
        except SettingsError as error:
            log.error("a rule cannot be used, and is not watched", extra=fields(rule=name, why=error))  # noqa: TRY400
    return made


async def all_made(db: AsyncConnection) -> Sequence[Made]:
    """Every rule that the API made, by name."""
    return read(await written(db))


async def put(db: AsyncConnection, made: Rule, author: str, now_ms: int) -> bool:
    """Keep it. True where it is new, False where it replaces one of its name."""
    is_new = not (await db.execute(select(exists().where(rule.c.name == made.name)))).scalar_one()
    row = {"name": made.name, "document": document_of(made), "author": author, "changed_ms": now_ms}
    await upsert.put(db, rule, [row])
    return is_new


async def remove(db: AsyncConnection, name: str) -> bool:
    """Forget it. False where there is none."""
    return (await db.execute(delete(rule).where(rule.c.name == name))).rowcount == 1


async def count(db: AsyncConnection) -> int:
    """How many there are."""
    return int((await db.execute(select(func.count()).select_from(rule))).scalar_one())


def document_of(made: Rule) -> dict[str, Any]:
    """As `build` reads it: what is not said is left out."""
    whole = asdict(made)
    whole["where"] = {key: list(value) if isinstance(value, tuple) else value for key, value in whole["where"].items()}
    whole["channels"] = list(made.channels)
    return {key: value for key, value in whole.items() if value is not None}
