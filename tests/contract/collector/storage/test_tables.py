"""The tables themselves. That migrations make the same is in test_schema."""

from sqlalchemy.dialects.postgresql.base import PGDialect
from sqlalchemy.dialects.sqlite.base import SQLiteDialect
from sqlalchemy.schema import CreateTable

from collector.storage.tables import hot, metadata


def test_every_backend_understands_every_table() -> None:
    for table in metadata.sorted_tables:
        for dialect in (PGDialect(), SQLiteDialect()):  # type: ignore[no-untyped-call]
            assert f"CREATE TABLE {table.name}" in str(CreateTable(table).compile(dialect=dialect))


def test_places_in_the_log_are_never_given_out_twice() -> None:
    """The cursor of the evaluation is such a place: a second snapshot there would be skipped."""
    assert "AUTOINCREMENT" in str(CreateTable(hot).compile(dialect=SQLiteDialect()))
