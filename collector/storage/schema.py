"""Brings a database to the schema this program knows, and refuses to work on any other."""

import os
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

import migrations
from collector.storage.database import Database, database
from collector.storage.errors import DatabaseUnusable, NotMigrated, UnknownRevision
from collector.storage.location import Location

_MIGRATES = 0x706F_7267
"""The advisory lock under which one process migrates; a second one waits, and finds it done."""


async def migrate(location: Location) -> tuple[str | None, str]:
    """Make the database if need be and upgrade it. Answers its revision before and after."""
    if location.file:
        _make_private(location.file)
    async with database(location) as db:
        async with db.reading() as connection:
            before = await connection.run_sync(_revision)
        _refuse_unknown(location, before)
        async with db.writing() as connection:
            if location.file is None:
                await connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_MIGRATES})")
            await connection.run_sync(_upgrade)
            after = await connection.run_sync(_revision)
    return before, str(after)


async def require_current(db: Database) -> None:
    """Raise NotMigrated or UnknownRevision unless the schema is the one this program was written for."""
    async with db.reading() as connection:
        found = await connection.run_sync(_revision)
    _refuse_unknown(db.location, found)
    if found != newest_revision():
        raise NotMigrated(str(db.location))


async def require_writable(db: Database) -> None:
    """Raise DatabaseUnusable where a transaction cannot even begin to write."""
    async with db.writing() as connection:
        await connection.exec_driver_sql("UPDATE cursor SET hot_id = hot_id")


def newest_revision() -> str:
    """The schema this program was written for."""
    return str(_scripts().get_current_head())


def require_present(location: Location) -> None:
    """Raise NotMigrated for a SQLite file that is not there: opening would quietly make an empty one."""
    if location.file is None:
        return
    try:
        location.file.stat()
    except (FileNotFoundError, NotADirectoryError):
        raise NotMigrated(str(location)) from None
    except OSError as error:
        raise DatabaseUnusable(str(location), f"cannot be read: {error.strerror}") from None


def _make_private(file: Path) -> None:
    """An empty file only its owner may read: it will hold who serves whom, and the hashes of tokens."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise DatabaseUnusable(str(file), f"cannot be written: {error.strerror}") from None


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())


def _upgrade(connection: Connection) -> None:
    command.upgrade(_config(connection), "head")


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _refuse_unknown(location: Location, revision: str | None) -> None:
    known: set[Any] = {script.revision for script in _scripts().walk_revisions()}
    if revision is not None and revision not in known:
        raise UnknownRevision(str(location), revision)
