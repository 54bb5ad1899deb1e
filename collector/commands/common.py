"""What commands share: their help's form, and how they find the database."""

import argparse
import os

from collector.config import DATABASE_VARIABLE, choose_database, default_database
from collector.storage.location import Location, locate

Subparsers = argparse._SubParsersAction  # noqa: SLF001 - argparse gives its type no public name


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
