"""What can be wrong with a database, in words a person can act on."""

from shared.errors import PortgaugeError


class StorageError(PortgaugeError):
    """The database cannot be used. `where` names it, passwords left out."""

    def __init__(self, where: str, what: str) -> None:
        super().__init__(f"database {where}: {what}")
        self.where = where


class InvalidDatabaseUrl(StorageError):
    """The text names no database this program can open."""


class DatabaseUnusable(StorageError):
    """It cannot be opened, read or written: permissions, a full disk, not a database at all, too busy."""


class NotMigrated(StorageError):
    """Its schema is older than this program."""

    def __init__(self, where: str) -> None:
        super().__init__(where, f"is not migrated; run: portgauge-collector migrate --database {where}")


class UnknownRevision(StorageError):
    """Its schema is newer than this program, or another program's."""

    def __init__(self, where: str, revision: str) -> None:
        super().__init__(where, f"has schema revision {revision!r}, unknown to this version; upgrade portgauge")
        self.revision = revision


class Superseded(PortgaugeError):
    """A term of leadership is over: another collector leads now, and this one must write nothing more."""

    def __init__(self, epoch: int) -> None:
        super().__init__(f"another collector leads since term {epoch} ended")
        self.epoch = epoch


class NeedsPostgreSQL(StorageError):
    """Several processes were asked for on SQLite, which one process serves."""

    def __init__(self, where: str, role: str) -> None:
        super().__init__(where, f"is SQLite, which one process serves: --role {role} needs PostgreSQL; leave it out")


class AlreadyServed(StorageError):
    """Another collector has this SQLite file open; one process evaluates, or people are told twice."""

    def __init__(self, where: str) -> None:
        super().__init__(where, "is already served by another portgauge-collector; stop that one first")
