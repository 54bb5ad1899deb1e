"""`audit`: who made, exchanged and ended tokens, and who changed the fleet's configuration."""

import argparse
import asyncio
import json
from collections.abc import Sequence
from dataclasses import asdict

from collector.commands.common import Subparsers, add_command, add_database, location_of, opened
from collector.commands.table import table
from collector.storage import audit
from collector.storage.audit import Deed
from collector.storage.location import Location

EXAMPLE = "portgauge-collector audit --host lb1"


def add(subparsers: "Subparsers[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = add_command(subparsers, "audit", "who changed tokens and the fleet's configuration, newest first", EXAMPLE)
    parser.add_argument("--host", metavar="NAME", help="of this host only")
    parser.add_argument("--limit", type=int, default=100, metavar="N", help="how many at most (100)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    add_database(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """One line a deed."""
    found = asyncio.run(_newest(location_of(args), max(1, args.limit), args.host))
    print(shown(found, is_json=args.json))
    return 0


def shown(found: Sequence[Deed], *, is_json: bool) -> str:
    """The record as text."""
    if is_json:
        return json.dumps({"items": [asdict(deed) for deed in found]}, indent=2)
    rows = [{**asdict(deed), "detail": _words(deed)} for deed in found]
    return table(rows, ("at_ms", "action", "host", "actor", "detail")) if rows else "nothing was done yet"


def _words(deed: Deed) -> str:
    return " ".join(f"{name}={value}" for name, value in deed.detail.items() if value is not None)


async def _newest(location: Location, limit: int, host: str | None) -> list[Deed]:
    async with opened(location) as db, db.reading() as connection:
        return await audit.newest(connection, limit=limit, host=host)
