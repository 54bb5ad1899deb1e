"""`token`: make, list and revoke tokens."""

import argparse
import asyncio
import json
from datetime import UTC, datetime
from typing import Any

from collector.access.token import Grant, Scope, issue
from collector.commands.common import Subparsers, add_command, add_database, location_of
from collector.storage import tokens
from collector.storage.database import database
from collector.storage.location import Location
from collector.storage.schema import require_current, require_present
from shared.clock import wall_ms
from shared.errors import PortgaugeError

EXAMPLE = "portgauge-collector token create --scope push --host lb1 > /etc/portgauge/token"


class UnknownToken(PortgaugeError):
    """There is no such token to revoke."""

    def __init__(self, token_id: str) -> None:
        super().__init__(f"no living token has the id {token_id!r}; see: portgauge-collector token list")
        self.token_id = token_id


class HostNeedsPush(PortgaugeError):
    """Only push tokens speak for a host."""

    def __init__(self, scope: Scope) -> None:
        super().__init__(f"--host binds a push token; a {scope} token has no host: leave it out")


def add(subparsers: "Subparsers[argparse.ArgumentParser]") -> None:
    """Declare the command and its own commands."""
    parser = add_command(subparsers, "token", "make, list and revoke tokens", EXAMPLE)
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    create = add_command(actions, "create", "make a token and print it, this once", EXAMPLE)
    create.add_argument("--scope", type=Scope, choices=tuple(Scope), required=True, help="what the token is for")
    create.add_argument("--host", metavar="NAME", help="the only host a push token may send (default: any)")
    create.set_defaults(run=run_create)
    listing = add_command(actions, "list", "list tokens, never their secrets", "portgauge-collector token list --json")
    listing.add_argument("--json", action="store_true", help="print JSON")
    listing.set_defaults(run=run_list)
    revoke = add_command(actions, "revoke", "end a token's life", "portgauge-collector token revoke 0a1b2c3d4e5f")
    revoke.add_argument("id", metavar="ID", help="as `token list` shows it")
    revoke.set_defaults(run=run_revoke)
    for action in (create, listing, revoke):
        add_database(action)


def run_create(args: argparse.Namespace) -> int:
    """Print the token and nothing else, so that it can be redirected into a file."""
    if args.host and args.scope is not Scope.PUSH:
        raise HostNeedsPush(args.scope)
    print(asyncio.run(_create(location_of(args), args.scope, args.host)))
    return 0


def run_list(args: argparse.Namespace) -> int:
    """One line a token."""
    grants = asyncio.run(_list(location_of(args)))
    if args.json:
        print(json.dumps({"items": [_shape(grant) for grant in grants]}, indent=2))
    else:
        for grant in grants:
            print(_line(grant))
    return 0


def run_revoke(args: argparse.Namespace) -> int:
    """Revoke one token; the running collector refuses it from its next request on."""
    asyncio.run(_revoke(location_of(args), args.id))
    return 0


async def _create(location: Location, scope: Scope, host: str | None) -> str:
    text, grant = issue(scope, host, wall_ms())
    require_present(location)
    async with database(location) as db:
        await require_current(db)
        async with db.writing() as connection:
            await tokens.add(connection, grant)
    return text


async def _list(location: Location) -> list[Grant]:
    require_present(location)
    async with database(location) as db:
        await require_current(db)
        async with db.reading() as connection:
            return await tokens.all_tokens(connection)


async def _revoke(location: Location, token_id: str) -> None:
    require_present(location)
    async with database(location) as db:
        await require_current(db)
        async with db.writing() as connection:
            if not await tokens.revoke(connection, token_id, wall_ms()):
                raise UnknownToken(token_id)


def _shape(grant: Grant) -> dict[str, Any]:
    return {
        "id": grant.id,
        "scope": grant.scope.value,
        "host": grant.host,
        "created_ms": grant.created_ms,
        "revoked_ms": grant.revoked_ms,
    }


def _line(grant: Grant) -> str:
    created = datetime.fromtimestamp(grant.created_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M")
    life = "revoked" if grant.revoked_ms is not None else "alive"
    return f"{grant.id}  {grant.scope:<5}  {life:<7}  {created} UTC  {grant.host or 'any host'}"
