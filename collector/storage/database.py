"""One open database: reading and writing transactions, the same on every backend.

SQLite: there is one writer at a time by nature; a lock of our own makes writers queue fairly instead of polling.

PostgreSQL: readers see one snapshot (REPEATABLE READ), writers READ COMMITTED and beside each other.
"""

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, ExitStack, asynccontextmanager, contextmanager, nullcontext
from copy import copy
from pathlib import Path
from typing import TypeVar

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from collector.storage.aside import Aside, Work
from collector.storage.engine import WAIT_S, WRITES, arguments_of, connected, engine_of, to_the_end
from collector.storage.errors import AlreadyServed, DatabaseUnusable
from collector.storage.location import Location
from shared.clock import monotonic_s

__all__ = ["AsyncConnection", "Database", "database"]

_OUR_MISTAKES = (IntegrityError, ProgrammingError)
"""What no trouble of the database explains. They are not foreseen, and must be loud."""

T = TypeVar("T")
Guard = Callable[[AsyncConnection], Awaitable[None]]
"""Called at the beginning of a transaction; what it raises undoes it."""


class Database:
    """Hands out connections inside a transaction. Foreseen faults of the database are DatabaseUnusable."""

    def __init__(self, engine: AsyncEngine, location: Location, door: "_Door", aside: "Aside | None" = None) -> None:
        self.location, self._door, self._aside = location, door, aside
        self._guard: Guard | None = None
        if location.file:
            self._reader = engine
            self._writer = engine.execution_options(**{WRITES: True})
            self._turn: AbstractAsyncContextManager[object] = asyncio.Lock()
        else:
            self._reader = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            self._writer = engine
            self._turn = nullcontext()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """A consistent view; nothing is kept."""
        with self.explained():
            async with self._connected(self._reader) as connection:
                yield connection

    async def read(self, work: Work[T]) -> T:
        """What `work` answers of one consistent view. On SQLite it is read in one go (collector.storage.aside)."""
        if self._aside is None:
            async with self.reading() as connection:
                return await work(connection)
        with self.explained(), self._door.entered():
            return await to_the_end(asyncio.ensure_future(self._aside.read(work)))

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """One transaction: durable when the block ends, undone if it raises."""
        with self.explained():
            async with self._turn, self._connected(self._writer) as connection, connection.begin():
                if self._guard:
                    await self._guard(connection)
                yield connection

    async def transact(self, work: Work[T]) -> T:
        """One transaction, as a block of `writing`. On SQLite it is done in one go (collector.storage.aside)."""
        if self._aside is None:
            async with self.writing() as connection:
                return await work(connection)
        with self.explained():
            async with self._turn:
                with self._door.entered():
                    doing = asyncio.ensure_future(self._aside.write(lambda connection: self._guarded(connection, work)))
                    return await to_the_end(doing)

    @asynccontextmanager
    async def _connected(self, engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
        with self._door.entered():
            async with connected(engine) as connection:
                yield connection

    async def _guarded(self, db: AsyncConnection, work: Work[T]) -> T:
        if self._guard:
            await self._guard(db)
        return await work(db)

    @asynccontextmanager
    async def session(self) -> AsyncIterator[AsyncConnection]:
        """A connection of its own beside all others, each statement a transaction: for locks that a session holds."""
        engine = create_async_engine(
            self.location.url,
            poolclass=NullPool,
            isolation_level="AUTOCOMMIT",
            connect_args=arguments_of(self.location),
        )
        try:
            with self.explained():
                async with connected(engine) as connection:
                    yield connection
        finally:
            await engine.dispose()

    def guarded_by(self, guard: Guard) -> "Database":
        """The same database; every transaction that writes begins with `guard`, which may raise."""
        guarded = copy(self)
        guarded._guard = guard  # noqa: SLF001 - our own class
        return guarded

    async def ping(self) -> None:
        """Raise DatabaseUnusable if it does not answer."""
        async with self.reading() as connection:
            await connection.execute(text("SELECT 1"))

    @contextmanager
    def explained(self) -> Iterator[None]:
        """Tell foreseen faults of the database as DatabaseUnusable."""
        try:
            yield
        except DBAPIError as error:
            if isinstance(error, _OUR_MISTAKES) and not error.connection_invalidated:
                raise
            raise DatabaseUnusable(str(self.location), _first_line(error.orig)) from error
        except OSError as error:  # A refused connection, or a time-out: the driver tells those as they are.
            raise DatabaseUnusable(str(self.location), _first_line(error)) from error
        except PoolTimeout as error:
            raise DatabaseUnusable(str(self.location), f"no connection was free for {WAIT_S} s") from error


@asynccontextmanager
async def database(location: Location, *, alone: bool = False) -> AsyncIterator[Database]:
    """Open it for as long as the block runs; `alone` refuses to share a SQLite file with another such process."""
    with ExitStack() as locks:
        if alone and location.file:
            locks.enter_context(_only_one(location.file))
        engine, door = engine_of(location), _Door(location)
        try:
            with Aside(location) if location.file else nullcontext() as aside:
                try:
                    yield Database(engine, location, door, aside)
                finally:
                    await door.shut()
        finally:
            await engine.dispose()


class _Door:
    """Who has a connection: the database is closed behind the last of them, and nobody comes in after.

    A handler goes on when its client has hung up, and nobody waits for it: a connection that it took from a pool which
    is emptied already would be closed by nobody.
    """

    def __init__(self, location: Location) -> None:
        self._location, self._inside, self._is_shut = location, 0, False

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Be inside for as long as the block runs. Raises DatabaseUnusable once it is shut."""
        if self._is_shut:
            raise DatabaseUnusable(str(self._location), "it is closed: the collector stops")
        self._inside += 1
        try:
            yield
        finally:
            self._inside -= 1

    async def shut(self) -> None:
        """Let nobody in, and wait for those inside."""
        self._is_shut, deadline_s = True, monotonic_s() + WAIT_S
        while self._inside and monotonic_s() < deadline_s:  # noqa: ASYNC110 - leaving rings no bell
            await asyncio.sleep(0.01)


def _first_line(error: BaseException | None) -> str:
    return str(error).partition("\n")[0] or type(error).__name__


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
