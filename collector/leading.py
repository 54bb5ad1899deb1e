"""One collector leads: it waits to be elected, works for as long as its term lasts, and waits again."""

import asyncio
import logging
import os
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from collector.loops import Loops, background
from collector.storage import leadership
from collector.storage.database import AsyncConnection, Database
from collector.storage.errors import DatabaseUnusable, Superseded
from shared.logs import fields

BEAT_S = 2.0
PATIENCE_BEATS = 5
"""A leader that hangs this long is ended: ten seconds without evaluation are as bad as an outage of the database."""
log = logging.getLogger(__name__)

LoopsOf = Callable[[Database], Loops]
"""The leader's loops, over a database that refuses their writes once the term is over."""


async def lead_forever(db: Database, loops_of: LoopsOf, *, beat_s: float = BEAT_S) -> None:
    """Campaign, lead, and campaign again. Whatever is not the end of a term is unforeseen, and raised."""
    told = ""
    while True:
        try:
            async with _session(db) as session:
                epoch = await _elected(db, session, beat_s)
                told = ""
                # Where there is one process only, nobody needs to be told that it leads.
                log.log(logging.INFO if session else logging.DEBUG, "leading", extra=fields(epoch=epoch))
                term = _beat_forever(db, session, epoch, beat_s)
                async with background({**loops_of(leadership.fenced(db, epoch)), "term": term}):
                    await asyncio.Event().wait()
        except* (Superseded, DatabaseUnusable) as over:
            why = str(_first(over))
            if why != told:
                log.warning("not leading", extra=fields(why=why))
            told = why
        await asyncio.sleep(beat_s)


@asynccontextmanager
async def _session(db: Database) -> AsyncIterator[AsyncConnection | None]:
    """What holds the lock; nothing on SQLite, where the process itself does (collector.storage.database)."""
    if db.location.file:
        yield None
    else:
        async with db.session() as connection:
            yield connection


async def _elected(db: Database, session: AsyncConnection | None, beat_s: float) -> int:
    """Wait for the lock, then begin a term. Answers its epoch."""
    if session:
        await _lock(session, beat_s)
    async with db.writing() as connection:
        return await leadership.begin(connection, f"{socket.gethostname()} {os.getpid()}")


async def _lock(session: AsyncConnection, beat_s: float) -> None:
    pulse, still = (0, 0), 0
    while not await leadership.try_lock(session):
        await asyncio.sleep(beat_s)
        before, pulse = pulse, await leadership.pulse(session)
        still = still + 1 if pulse == before else 0
        if still >= PATIENCE_BEATS:
            log.warning("the leader hangs; its session is ended", extra=fields(epoch=pulse[0]))
            await leadership.oust(session)
            still = 0


async def _beat_forever(db: Database, session: AsyncConnection | None, epoch: int, beat_s: float) -> None:
    """Show that this leader is alive. Raises DatabaseUnusable or Superseded when it is over."""
    while True:
        await asyncio.sleep(beat_s)
        if session:
            with db.explained():
                await leadership.beat(session, epoch)


def _first(group: BaseExceptionGroup[Exception]) -> Exception:
    error = group.exceptions[0]
    return _first(error) if isinstance(error, BaseExceptionGroup) else error
