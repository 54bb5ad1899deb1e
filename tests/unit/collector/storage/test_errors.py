"""What is said of a database that cannot be used."""

from collector.storage.errors import AlreadyServed, NotMigrated, UnknownRevision


def test_an_unmigrated_database_is_told_with_the_command_that_mends_it() -> None:
    assert "portgauge-collector migrate --database /x.db" in str(NotMigrated("/x.db"))


def test_a_newer_schema_asks_for_a_newer_program() -> None:
    assert "upgrade portgauge" in str(UnknownRevision("/x.db", "0099"))


def test_a_second_collector_is_told_about_the_first() -> None:
    assert "already served" in str(AlreadyServed("/x.db"))
