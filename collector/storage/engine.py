"""How a database is opened and its connections are made, on each backend.

SQLite: WAL with synchronous=FULL, so that what is committed survives a power cut and readers never wait for the writer.

PostgreSQL: a commit waits for the disk, and for a synchronous standby where there is one, whatever weaker setting the
server has by default.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any, TypeVar

from sqlalchemy import Engine, event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import NoSuchModuleError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.util import await_only, greenlet_spawn

from collector.storage.errors import InvalidDatabaseUrl
from collector.storage.location import Location

CONNECTIONS = 8
WAIT_S = 10
STATEMENT_S = 60
"""A statement of ours takes milliseconds; one that takes this long waits for a server that has stopped answering."""
IDLE_IN_TRANSACTION_S = 30
"""A process that was stopped in the middle of a transaction must not keep its locks from the others."""
WRITES = "portgauge_writes"
"""The execution option of what begins transactions that write."""
_PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "foreign_keys=ON",
    f"busy_timeout={WAIT_S * 1000}",
    # Debian's SQLite overwrites what is deleted with zeros: a page written twice more for each snapshot of the log.
    "secure_delete=FAST",
)
_NOT_A_PRIMARY = frozenset({"25006", "57P01", "57P02", "57P03"})
"""PostgreSQL's codes for a read-only transaction, and for a server that shuts down, crashed, or is starting up."""


T = TypeVar("T")


def engine_of(location: Location) -> AsyncEngine:
    """With nothing open yet. Raises InvalidDatabaseUrl where the driver is not installed."""
    try:
        engine = create_async_engine(
            location.url,
            pool_size=CONNECTIONS,
            max_overflow=0,
            pool_use_lifo=True,
            pool_timeout=WAIT_S,
            connect_args=arguments_of(location),
        )
    except (NoSuchModuleError, ModuleNotFoundError) as error:
        raise InvalidDatabaseUrl(str(location), f"no driver for it is installed ({error})") from None
    if location.file:
        engine.sync_engine.dialect.do_terminate = _end_sqlite  # type: ignore[assignment]
        listen_sqlite(engine.sync_engine)
    else:
        event.listen(engine.sync_engine, "connect", _prepare_postgresql)
        event.listen(engine.sync_engine, "handle_error", _leave_what_cannot_write)
    return engine


def listen_sqlite(engine: Engine) -> None:
    """Have its connections prepared, and its transactions begun as readers or as writers."""
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)


@asynccontextmanager
async def connected(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """A connection for as long as the block runs. Whoever is cancelled still opens and closes to the end.

    A driver's connection that is dropped half open or half closed would be closed by nobody.
    """
    connection = engine.connect()
    opening = asyncio.create_task(connection.start())
    try:
        await to_the_end(opening)
        yield connection
    finally:
        if connection.sync_connection:
            await to_the_end(asyncio.create_task(connection.close()))


async def to_the_end(task: asyncio.Future[T]) -> T:
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


def arguments_of(location: Location) -> dict[str, Any]:
    """What the driver is given with each connection."""
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
    for pragma in _PRAGMAS:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _end_sqlite(connection: Any) -> None:
    """End one whose user was cancelled, whole, however often it is cancelled meanwhile.

    Closing alone keeps the transaction, and so the write lock, for as long as anybody holds a cursor, be it in the
    traceback of the cancellation (sqlite3_close_v2). The dialect's own way, cut short, leaves a thread waiting.
    """
    await_only(to_the_end(asyncio.create_task(greenlet_spawn(_roll_back_and_close, connection))))


def _roll_back_and_close(connection: Any) -> None:
    try:
        connection.rollback()
    finally:
        connection.close()


def _begin_sqlite(connection: Any) -> None:
    # A writer takes the write lock at once: upgrading later fails with SQLITE_BUSY where another has written since.
    writes = connection.get_execution_options().get(WRITES, False)
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
