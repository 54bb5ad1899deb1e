"""Statements for many rows at a time, compiled once: rows go to the driver as tuples, past everything between."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy.sql.dml import UpdateBase

from collector.storage.database import AsyncConnection


class Prepared:
    """An INSERT or UPDATE whose values the driver takes as they are; `names` are its parameters, in a row's order."""

    def __init__(self, statement: UpdateBase, names: Sequence[str]) -> None:
        self._statement, self._names = statement, list(names)
        self._texts: dict[str, tuple[str, list[int]]] = {}

    async def run(self, db: AsyncConnection, rows: Sequence[tuple[Any, ...]]) -> None:
        """Execute it for every row."""
        if not rows:
            return
        text, order = self._texts.get(db.dialect.name) or self._compiled(db)
        if order != list(range(len(order))):
            rows = [tuple(row[place] for place in order) for row in rows]
        await db.exec_driver_sql(text, list(rows))

    def _compiled(self, db: AsyncConnection) -> tuple[str, list[int]]:
        compiled = self._statement.compile(dialect=db.dialect, column_keys=self._names)
        order = [self._names.index(name) for name in compiled.positiontup or ()]
        made = self._texts[db.dialect.name] = (str(compiled), order)
        return made
