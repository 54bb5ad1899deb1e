"""`migrate`: make the database, or bring it to this version's schema."""

import argparse
import asyncio

from collector.commands.common import Subparsers, add_command, add_database, location_of
from collector.storage.schema import migrate

EXAMPLE = "portgauge-collector migrate --database /var/lib/portgauge/history.db"


def add(subparsers: "Subparsers[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = add_command(subparsers, "migrate", "make the database, or bring it to this version's schema", EXAMPLE)
    add_database(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Migrate; safe to repeat."""
    location = location_of(args)
    before, after = asyncio.run(migrate(location))
    done = "is at" if before == after else "migrated to"
    print(f"{location}: {done} schema {after}")
    return 0
