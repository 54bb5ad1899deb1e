"""Migrations, and the refusal of any other schema."""

from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection

from collector.storage import schema
from collector.storage.database import Database, database
from collector.storage.errors import DatabaseUnusable, NotMigrated, UnknownRevision
from collector.storage.location import locate
from collector.storage.tables import metadata


async def test_the_migrations_make_what_the_tables_say(db: Database) -> None:
    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, metadata))

    async with db.reading() as connection:
        assert await connection.run_sync(differences) == []


async def test_migrating_twice_changes_nothing(db: Database) -> None:
    before, after = await schema.migrate(db.location)
    assert before == after == schema.newest_revision()


async def test_what_was_made_can_be_unmade(db: Database) -> None:
    def down_and_up(connection: Connection) -> None:
        command.downgrade(schema._config(connection), "base")
        command.upgrade(schema._config(connection), "head")

    async with db.writing() as connection:
        await connection.run_sync(down_and_up)
    await schema.require_current(db)


async def test_a_current_database_is_accepted(db: Database) -> None:
    schema.require_present(db.location)
    await schema.require_current(db)
    await schema.require_writable(db)


async def test_an_empty_database_is_refused(tmp_path: Path) -> None:
    async with database(locate(str(tmp_path / "x.db"))) as db:
        with pytest.raises(NotMigrated, match="portgauge-collector migrate --database"):
            await schema.require_current(db)


def test_a_file_that_is_not_there_is_refused_and_not_made(tmp_path: Path) -> None:
    with pytest.raises(NotMigrated):
        schema.require_present(locate(str(tmp_path / "x.db")))
    assert list(tmp_path.iterdir()) == []


async def test_a_schema_from_the_future_is_left_alone(db: Database) -> None:
    async with db.writing() as connection:
        await connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    for refused in (schema.require_current(db), schema.migrate(db.location)):
        with pytest.raises(UnknownRevision, match="9999"):
            await refused


async def test_the_file_is_for_its_owner_only(sqlite: Database) -> None:
    assert sqlite.location.file
    assert sqlite.location.file.stat().st_mode & 0o077 == 0


async def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DatabaseUnusable, match="cannot be written"):
        await schema.migrate(locate(str(tmp_path / "file" / "x.db")))
