"""`hosts forget`: a host that is no more leaves lists and alerts."""

import argparse
import asyncio

from collector.commands.common import Subparsers, actor, add_command, add_database, location_of, opened
from collector.fleet.forgetting import Forgotten, forget
from collector.fleet.host import UnknownHost
from collector.storage.location import Location
from shared.clock import wall_ms


def add(subparsers: "Subparsers[argparse.ArgumentParser]") -> None:
    """Declare what can be done to hosts, beside the question `hosts` (collector.commands.ask)."""
    actions = subparsers.choices["hosts"].add_subparsers(metavar="ACTION", title="or")
    summary = "a host is no more: end its tokens and alerts, take it out of lists"
    forgetting = add_command(actions, "forget", summary, "portgauge-collector hosts forget lb1")
    forgetting.add_argument("name", metavar="HOST", help="as `hosts` shows it")
    add_database(forgetting)
    forgetting.set_defaults(run=run_forget)


def run_forget(args: argparse.Namespace) -> int:
    """Say what was revoked. The running collector heeds it from the next request on."""
    found = asyncio.run(_forget(location_of(args), args.name))
    print(f"{found.host} is forgotten; {len(found.revoked)} of its tokens revoked")
    return 0


async def _forget(location: Location, name: str) -> Forgotten:
    async with opened(location) as db:
        found = await forget(db, name, actor(), wall_ms())
    if found is None:
        raise UnknownHost(name)
    return found
