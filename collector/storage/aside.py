"""Transactions of a SQLite file in one go, in a thread from their beginning to their end.

A statement that is awaited by itself goes to the driver's thread and back four times.
"""

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Self, TypeVar, cast

from sqlalchemy import Connection, CursorResult, Executable, create_engine
from sqlalchemy.ext.asyncio import AsyncConnection

from collector.storage.engine import WRITES, listen_sqlite
from collector.storage.location import Location

T = TypeVar("T")
Work = Callable[[AsyncConnection], Coroutine[Any, Any, T]]
"""What a transaction does. It awaits nothing but its connection."""
THREADS = 3
"""One writes while the evaluation reads, and the making of history."""


class Aside:
    """Threads of its own, a connection to a SQLite file each, for transactions that are done in one go."""

    def __init__(self, location: Location) -> None:
        url = location.url.set(drivername="sqlite")
        self._engine = create_engine(url, pool_size=THREADS, max_overflow=0, connect_args={"check_same_thread": False})
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="transactions")
        listen_sqlite(self._engine)
        self._reader, self._writer = self._engine, self._engine.execution_options(**{WRITES: True})

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._threads.shutdown()
        self._engine.dispose()

    def write(self, work: Work[T]) -> asyncio.Future[T]:
        """Begin, work, and commit; or undo what was done."""
        return asyncio.get_running_loop().run_in_executor(self._threads, self._write, work)

    def read(self, work: Work[T]) -> asyncio.Future[T]:
        """Work on one view; nothing is kept."""
        return asyncio.get_running_loop().run_in_executor(self._threads, self._read, work)

    def _write(self, work: Work[T]) -> T:
        with self._writer.begin() as connection:
            return _driven(work(cast("AsyncConnection", _Straight(connection))))

    def _read(self, work: Work[T]) -> T:
        with self._reader.connect() as connection:
            return _driven(work(cast("AsyncConnection", _Straight(connection))))


class _Straight:
    """As much of an AsyncConnection as questions use; what is awaited of it is done at once."""

    def __init__(self, connection: Connection) -> None:
        self._connection, self.dialect = connection, connection.dialect

    async def execute(self, statement: Executable, parameters: Any = None) -> CursorResult[Any]:
        return self._connection.execute(statement, parameters)

    async def exec_driver_sql(self, statement: str, parameters: Any = None) -> CursorResult[Any]:
        return self._connection.exec_driver_sql(statement, parameters)


def _driven(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run it to its end where there is no event loop."""
    try:
        coroutine.send(None)
    except StopIteration as ended:
        return cast("T", ended.value)
    finally:
        coroutine.close()
    raise RuntimeError("a transaction that is done in one go awaits its connection only")
