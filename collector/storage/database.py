"""One open database: reading and writing transactions, the same on every backend.

SQLite: WAL with synchronous=FULL, so that what is committed survives a power cut and readers never wait for the
writer. There is one writer at a time by nature; a lock of our own makes writers queue fairly instead of polling.

PostgreSQL: readers see one snapshot (REPEATABLE READ), writers READ COMMITTED and beside each other. A commit waits for
the disk, and for a synchronous standby where there is one, whatever weaker setting the server has by default.
"""

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import (
    AbstractAsyncContextManager,
    ExitStack,
    asynccontextmanager,
    contextmanager,
    nullcontext,
    suppress,
)
from copy import copy
from pathlib import Path
from typing import Any, Self, TypeVar, cast

from sqlalchemy import Connection, CursorResult, Engine, Executable, create_engine, event, text
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DBAPIError, IntegrityError, NoSuchModuleError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool
from sqlalchemy.util import await_only, greenlet_spawn

from collector.storage.errors import AlreadyServed, DatabaseUnusable, InvalidDatabaseUrl
from collector.storage.location import Location
from shared.clock import monotonic_s

__all__ = ["AsyncConnection", "Database", "database"]

CONNECTIONS = 8
WAIT_S = 10
STATEMENT_S = 60
"""A statement of ours takes milliseconds; one that takes this long waits for a server that has stopped answering."""
IDLE_IN_TRANSACTION_S = 30
"""A process that was stopped in the middle of a transaction must not keep its locks from the others."""
_WRITES = "portgauge_writes"
_NOT_A_PRIMARY = frozenset({"25006", "57P01", "57P02", "57P03"})
"""PostgreSQL's codes for a read-only transaction, and for a server that shuts down, crashed, or is starting up."""
_OUR_MISTAKES = (IntegrityError, ProgrammingError)
"""What no trouble of the database explains. They are not foreseen, and must be loud."""


T = TypeVar("T")
Guard = Callable[[AsyncConnection], Awaitable[None]]
"""Called at the beginning of a transaction; what it raises undoes it."""
Work = Callable[[AsyncConnection], Coroutine[Any, Any, T]]
"""What a transaction does. It awaits nothing but its connection."""


class Database:
    """Hands out connections inside a transaction. Foreseen faults of the database are DatabaseUnusable."""

    def __init__(self, engine: AsyncEngine, location: Location, door: "_Door", aside: "_Aside | None" = None) -> None:
        self.location, self._door, self._aside = location, door, aside
        self._guard: Guard | None = None
        if location.file:
            self._reader = engine
            self._writer = engine.execution_options(**{_WRITES: True})
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

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """One transaction: durable when the block ends, undone if it raises."""
        with self.explained():
            async with self._turn, self._connected(self._writer) as connection, connection.begin():
                if self._guard:
                    await self._guard(connection)
                yield connection

    async def transact(self, work: Work[T]) -> T:
        """One transaction, as a block of `writing`. On SQLite it is done in a thread from its beginning to its end.

        A statement that is awaited by itself goes to the driver's thread and back four times.
        """
        if self._aside is None:
            async with self.writing() as connection:
                return await work(connection)
        with self.explained():
            async with self._turn:
                with self._door.entered():
                    doing = asyncio.ensure_future(self._aside.run(lambda connection: self._guarded(connection, work)))
                    return await _to_the_end(doing)

    @asynccontextmanager
    async def _connected(self, engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
        with self._door.entered():
            async with _connected(engine) as connection:
                yield connection

    async def _guarded(self, db: AsyncConnection, work: Work[T]) -> T:
        if self._guard:
            await self._guard(db)
        return await work(db)

    @asynccontextmanager
    async def session(self) -> AsyncIterator[AsyncConnection]:
        """A connection of its own beside all others, each statement a transaction: for locks that a session holds."""
        engine = create_async_engine(
            self.location.url, poolclass=NullPool, isolation_level="AUTOCOMMIT", connect_args=_arguments(self.location)
        )
        try:
            with self.explained():
                async with _connected(engine) as connection:
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
        engine, door = _engine(location), _Door(location)
        try:
            with _Aside(location) if location.file else nullcontext() as aside:
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


class _Aside:
    """A thread of its own with one connection to a SQLite file, for transactions that are done in one go."""

    def __init__(self, location: Location) -> None:
        url = location.url.set(drivername="sqlite")
        self._engine = create_engine(url, pool_size=1, max_overflow=0, connect_args={"check_same_thread": False})
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="transactions")
        _listen_sqlite(self._engine)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.shutdown()
        self._engine.dispose()

    def run(self, work: Work[T]) -> asyncio.Future[T]:
        """Begin, work, and commit; or undo what was done."""
        return asyncio.get_running_loop().run_in_executor(self._thread, self._transact, work)

    def _transact(self, work: Work[T]) -> T:
        with self._engine.execution_options(**{_WRITES: True}).begin() as connection:
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


def _engine(location: Location) -> AsyncEngine:
    try:
        engine = create_async_engine(
            location.url,
            pool_size=CONNECTIONS,
            max_overflow=0,
            pool_use_lifo=True,
            pool_timeout=WAIT_S,
            connect_args=_arguments(location),
        )
    except (NoSuchModuleError, ModuleNotFoundError) as error:
        raise InvalidDatabaseUrl(str(location), f"no driver for it is installed ({error})") from None
    if location.file:
        engine.sync_engine.dialect.do_terminate = _end_sqlite  # type: ignore[assignment]
        _listen_sqlite(engine.sync_engine)
    else:
        event.listen(engine.sync_engine, "connect", _prepare_postgresql)
        event.listen(engine.sync_engine, "handle_error", _leave_what_cannot_write)
    return engine


def _listen_sqlite(engine: Engine) -> None:
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)


@asynccontextmanager
async def _connected(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """A connection for as long as the block runs. Whoever is cancelled still opens and closes to the end.

    A driver's connection that is dropped half open or half closed would be closed by nobody.
    """
    connection = engine.connect()
    opening = asyncio.create_task(connection.start())
    try:
        await _to_the_end(opening)
        yield connection
    finally:
        if connection.sync_connection:
            await _to_the_end(asyncio.create_task(connection.close()))


async def _to_the_end(task: asyncio.Future[T]) -> T:
    """Wait for it, and only then be cancelled."""
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled:
        with suppress(Exception):
            task.result()
        raise cancelled
    return task.result()


def _arguments(location: Location) -> dict[str, Any]:
    if location.file:
        return {}
    settings = {
        "application_name": "portgauge-collector",
        "idle_in_transaction_session_timeout": f"{IDLE_IN_TRANSACTION_S}s",
    }
    return {"timeout": WAIT_S, "command_timeout": STATEMENT_S, "server_settings": settings}


def _prepare_sqlite(connection: Any, _record: object) -> None:
    # The driver would begin transactions by its own guess (late, and never for reads); _begin_sqlite does it instead.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", f"busy_timeout={WAIT_S * 1000}"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _end_sqlite(connection: Any) -> None:
    """End one whose user was cancelled, whole, however often it is cancelled meanwhile.

    Closing alone keeps the transaction, and so the write lock, for as long as anybody holds a cursor, be it in the
    traceback of the cancellation (sqlite3_close_v2). The dialect's own way, cut short, leaves a thread waiting.
    """
    await_only(_to_the_end(asyncio.create_task(greenlet_spawn(_roll_back_and_close, connection))))


def _roll_back_and_close(connection: Any) -> None:
    try:
        connection.rollback()
    finally:
        connection.close()


def _begin_sqlite(connection: Any) -> None:
    # A writer takes the write lock at once: upgrading later fails with SQLITE_BUSY where another has written since.
    writes = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _prepare_postgresql(connection: Any, _record: object) -> None:
    # `on` also waits for a synchronous standby; remote_apply, which is more, is left as it is.
    cursor = connection.cursor()
    cursor.execute(
        "SELECT set_config('synchronous_commit', 'on', false)"
        " WHERE current_setting('synchronous_commit') IN ('off', 'local', 'remote_write')"
    )
    cursor.close()
    connection.commit()


def _leave_what_cannot_write(context: ExceptionContext) -> None:
    # A primary that became a standby keeps its connections: they must go for the next attempt to find the new primary.
    if getattr(context.original_exception, "sqlstate", "") in _NOT_A_PRIMARY:
        context.is_disconnect = True


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
