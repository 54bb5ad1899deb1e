"""Who of several collectors evaluates, prunes and tells people: one at a time, and nobody after their time.

On PostgreSQL a session holds an advisory lock for as long as it leads; a leader that dies lets go of it with its
connection, one that only hangs is ended by the next candidate once its heartbeat is old. A lock gives no fence: a
leader that was paused may wake and go on writing, lock or not. So each term has a number, the epoch, and every
transaction of a leader holds the row of its epoch: it fails once a later term has begun, and no term begins while it
is under way. On SQLite there is one process only; its terms are counted alike.
"""

from sqlalchemy import func, select, text, update

from collector.storage import tables
from collector.storage.database import AsyncConnection, Database
from collector.storage.errors import Superseded

term = tables.leadership

_LEADS = 0x706F_6C65
"""The advisory lock of whoever leads, within its database."""
_HOLD = select(term.c.epoch).with_for_update(read=True)


async def try_lock(db: AsyncConnection) -> bool:
    """Hold the lock for as long as this connection lives, if nobody else does."""
    return bool((await db.execute(select(func.pg_try_advisory_lock(_LEADS)))).scalar_one())


async def begin(db: AsyncConnection, holder: str) -> int:
    """Begin a term, after every transaction of the one before. Answers its epoch."""
    values = {"epoch": term.c.epoch + 1, "holder": holder, "beats": 0}
    return int((await db.execute(update(term).values(values).returning(term.c.epoch))).scalar_one())


async def beat(db: AsyncConnection, epoch: int) -> None:
    """Show that this term's leader is alive. Raises Superseded."""
    done = await db.execute(update(term).where(term.c.epoch == epoch).values(beats=term.c.beats + 1))
    if done.rowcount != 1:
        raise Superseded(epoch)


async def pulse(db: AsyncConnection) -> tuple[int, int]:
    """(epoch, beats): does not change while a leader hangs."""
    row = (await db.execute(select(term.c.epoch, term.c.beats))).one()
    return (row.epoch, row.beats)


async def oust(db: AsyncConnection) -> int:
    """End the session that holds the lock. Answers how many were told to end."""
    ended = await db.execute(
        text(
            "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1"
            " AND classid = 0 AND objid = :lock"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        ),
        {"lock": _LEADS},
    )
    return len(ended.all())


async def require(db: AsyncConnection, epoch: int) -> None:
    """Hold this term until the transaction ends. Raises Superseded where a later one has begun."""
    found = (await db.execute(_HOLD)).scalar_one()
    if found != epoch:
        raise Superseded(epoch)


def fenced(db: Database, epoch: int) -> Database:
    """The same database for this term's leader: a transaction that writes raises Superseded once the term is over."""

    async def check(connection: AsyncConnection) -> None:
        await require(connection, epoch)

    return db.guarded_by(check)
