"""One open database: reading and writing transactions, the same on every backend.

SQLite: WAL with synchronous=FULL, so that what is committed survives a power cut and readers never wait for the
writer. There is one writer at a time by nature; a lock of our own makes writers queue fairly instead of polling.
"""

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import event, text
from sqlalchemy.exc import DatabaseError, IntegrityError, NoSuchModuleError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from collector.storage.errors import AlreadyServed, DatabaseUnusable, InvalidDatabaseUrl
from collector.storage.location import Location

__all__ = ["AsyncConnection", "Database", "database"]

CONNECTIONS = 8
WAIT_S = 10
_WRITES = "portgauge_writes"
_OUR_MISTAKES = (IntegrityError, ProgrammingError)
"""What no trouble of the database explains. They are not foreseen, and must be loud."""


class Database:
    """Hands out connections inside a transaction. Foreseen faults of the database are DatabaseUnusable."""

    def __init__(self, engine: AsyncEngine, location: Location) -> None:
        self.location = location
        self._engine = engine
        self._writer = engine.execution_options(**{_WRITES: True})
        self._turn = asyncio.Lock()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """A consistent view; nothing is kept."""
        with self._explained():
            async with self._engine.connect() as connection:
                yield connection

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """One transaction: durable when the block ends, undone if it raises."""
        with self._explained():
            async with self._turn, self._writer.begin() as connection:
                yield connection

    async def ping(self) -> None:
        """Raise DatabaseUnusable if it does not answer."""
        async with self.reading() as connection:
            await connection.execute(text("SELECT 1"))

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except DatabaseError as error:
            if isinstance(error, _OUR_MISTAKES):
                raise
            raise DatabaseUnusable(str(self.location), str(error.orig)) from error
        except PoolTimeout as error:
            raise DatabaseUnusable(str(self.location), f"no connection was free for {WAIT_S} s") from error


@asynccontextmanager
async def database(location: Location, *, alone: bool = False) -> AsyncIterator[Database]:
    """Open it for as long as the block runs; `alone` refuses to share a SQLite file with another such process."""
    with ExitStack() as locks:
        if alone and location.file:
            locks.enter_context(_only_one(location.file))
        engine = _engine(location)
        try:
            yield Database(engine, location)
        finally:
            await engine.dispose()


def _engine(location: Location) -> AsyncEngine:
    try:
        engine = create_async_engine(location.url, pool_size=CONNECTIONS, max_overflow=0, pool_timeout=WAIT_S)
    except (NoSuchModuleError, ModuleNotFoundError) as error:
        raise InvalidDatabaseUrl(str(location), f"no driver for it is installed ({error})") from None
    if location.file:
        event.listen(engine.sync_engine, "connect", _prepare_sqlite)
        event.listen(engine.sync_engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: object) -> None:
    # The driver would begin transactions by its own guess (late, and never for reads); _begin_sqlite does it instead.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", f"busy_timeout={WAIT_S * 1000}"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Any) -> None:
    # A writer takes the write lock at once: upgrading later fails with SQLITE_BUSY where another has written since.
    writes = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def _only_one(file: Path) -> Iterator[None]:
    """Hold a lock beside the file; the kernel lets go of it however this process ends."""
    lock = file.with_name(f"{file.name}.lock")
    try:
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise DatabaseUnusable(str(file), f"cannot write {lock}: {error.strerror}") from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise AlreadyServed(str(file)) from None
    try:
        yield
    finally:
        os.close(descriptor)
