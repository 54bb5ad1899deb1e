"""What commands share: their help's form, and how they find the database."""

import argparse
import getpass
import os
import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from collector.config import DATABASE_VARIABLE, choose_database, default_database
from collector.storage.database import Database, database
from collector.storage.location import Location, locate
from collector.storage.schema import require_current, require_present
from shared.errors import PortgaugeError

Subparsers = argparse._SubParsersAction  # noqa: SLF001 - argparse gives its type no public name

_UNITS_S = {"s": 1, "m": 60, "min": 60, "h": 3_600, "d": 86_400}


class InvalidDuration(PortgaugeError):
    """A text is no length of time, or no instant."""


def parse_length_ms(text: str) -> int:
    """`90s`, `30m`, `2h`, `1d` in milliseconds. Raises InvalidDuration."""
    found = re.fullmatch(r"(\d{1,6})\s*(s|m|min|h|d)", text.strip(), re.ASCII)
    if not found:
        raise InvalidDuration(f"{text!r} is not a length of time like 30m, 2h or 1d")
    return int(found[1]) * _UNITS_S[found[2]] * 1000


def add_command(  # noqa: D103
    subparsers: "Subparsers[argparse.ArgumentParser]", name: str, summary: str, example: str
) -> argparse.ArgumentParser:
    return subparsers.add_parser(
        name,
        help=summary,
        description=f"{summary[0].upper()}{summary[1:]}.",
        epilog=f"example:\n  {example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def add_database(parser: argparse.ArgumentParser) -> None:
    """Declare --database."""
    parser.add_argument(
        "--database",
        metavar="URL",
        help=f"a SQLAlchemy URL, or a path (SQLite); also from {DATABASE_VARIABLE} (default: {default_database()})",
    )


def location_of(args: argparse.Namespace, configured: str = "") -> Location:
    """The database the arguments mean."""
    return locate(choose_database(args.database, os.environ, configured))


def actor() -> str:
    """Who sits at this terminal, for the record."""
    return f"{getpass.getuser()}@{socket.gethostname()}"


@asynccontextmanager
async def opened(location: Location) -> AsyncIterator[Database]:
    """The database, where it is there and of this version's schema."""
    require_present(location)
    async with database(location) as db:
        await require_current(db)
        yield db
