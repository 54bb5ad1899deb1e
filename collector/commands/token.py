"""`token`: make, list, rotate and revoke tokens."""

import argparse
import asyncio
import json
from datetime import UTC, datetime

from collector.access.token import Grant, Scope, issue
from collector.api.enrol import token_shape
from collector.commands.common import (
    Subparsers,
    actor,
    add_command,
    add_database,
    location_of,
    opened,
    parse_length_ms,
)
from collector.commands.tokens_asked import Asked, asked
from collector.storage import audit, tokens
from collector.storage.audit import Deed
from collector.storage.location import Location
from shared.clock import wall_ms
from shared.errors import PortgaugeError

EXAMPLE = "portgauge-collector token create --scope push --host lb1 > /etc/portgauge/token"
JOIN_EXAMPLE = "portgauge-collector token create --scope join --role edge --uses 40 --expires 24h > join-token"


class UnknownToken(PortgaugeError):
    """There is no such token to revoke or rotate."""

    def __init__(self, what: str) -> None:
        super().__init__(f"no living token {what}; see: portgauge-collector token list")


def add(subparsers: "Subparsers[argparse.ArgumentParser]") -> None:
    """Declare the command and its own commands."""
    parser = add_command(subparsers, "token", "make, list, rotate and revoke tokens", EXAMPLE)
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    create = add_command(actions, "create", "make a token and print it, this once", f"{EXAMPLE}\n  {JOIN_EXAMPLE}")
    create.add_argument("--scope", type=Scope, choices=tuple(Scope), required=True, help="what the token is for")
    create.add_argument("--host", metavar="NAME", help="the only host a push token may send (default: any)")
    create.add_argument("--expires", metavar="TIME", help="when it ends: 24h, 90d (join: 24h, others: never)")
    create.add_argument("--uses", type=int, metavar="N", help="how many hosts a join token lets in (1)")
    create.add_argument("--role", metavar="ROLE", help="the only role a join token lets in (default: any)")
    create.add_argument("--token-life", metavar="TIME", help="how long the tokens it is exchanged for live: 90d (ever)")
    create.set_defaults(run=run_create)
    listing = add_command(actions, "list", "list tokens, never their secrets", "portgauge-collector token list --json")
    listing.add_argument("--json", action="store_true", help="print JSON")
    listing.set_defaults(run=run_list)
    rotate = add_command(
        actions,
        "rotate",
        "have a host's agent exchange its token with its next push",
        "portgauge-collector token rotate --host lb1",
    )
    rotate.add_argument("--host", metavar="NAME", required=True, help="whose token")
    rotate.set_defaults(run=run_rotate)
    revoke = add_command(actions, "revoke", "end a token's life", "portgauge-collector token revoke 0a1b2c3d4e5f")
    which = revoke.add_mutually_exclusive_group(required=True)
    which.add_argument("id", metavar="ID", nargs="?", help="as `token list` shows it")
    which.add_argument("--host", metavar="NAME", help="every push token of this host")
    revoke.set_defaults(run=run_revoke)
    for action in (create, listing, rotate, revoke):
        add_database(action)


def run_create(args: argparse.Namespace) -> int:
    """Print the token and nothing else, so that it can be redirected into a file."""
    wanted = asked(
        args.scope,
        host=args.host,
        expires_ms=parse_length_ms(args.expires) if args.expires else None,
        uses=args.uses,
        role=args.role,
        life_ms=parse_length_ms(args.token_life) if args.token_life else None,
    )
    print(asyncio.run(_create(location_of(args), wanted)))
    return 0


def run_list(args: argparse.Namespace) -> int:
    """One line a token."""
    grants, now_ms = asyncio.run(_list(location_of(args))), wall_ms()
    if args.json:
        print(json.dumps({"items": [token_shape(grant) for grant in grants]}, indent=2))
    else:
        for grant in grants:
            print(line(grant, now_ms))
    return 0


def run_rotate(args: argparse.Namespace) -> int:
    """The old token stays good until an hour after the agent has the new one."""
    asyncio.run(_rotate(location_of(args), args.host))
    return 0


def run_revoke(args: argparse.Namespace) -> int:
    """Revoke one token, or all of a host; the running collector refuses them from the next request on."""
    asyncio.run(_revoke(location_of(args), args.id, args.host))
    return 0


async def _create(location: Location, wanted: Asked) -> str:
    now_ms = wall_ms()
    text, grant = issue(wanted.scope, wanted.host, now_ms)
    grant = wanted.laid_over(grant)
    shape = {name: value for name, value in token_shape(grant).items() if name not in {"id", "host", "created_ms"}}
    detail = {"token": grant.id} | {name: value for name, value in shape.items() if value is not None}
    async with opened(location) as db, db.writing() as connection:
        await tokens.add(connection, grant)
        deed = Deed(at_ms=now_ms, actor=actor(), action="token-create", host=grant.host, detail=detail)
        await audit.note(connection, deed)
    return text


async def _list(location: Location) -> list[Grant]:
    async with opened(location) as db, db.reading() as connection:
        return await tokens.all_tokens(connection)


async def _rotate(location: Location, host: str) -> None:
    now_ms = wall_ms()
    async with opened(location) as db, db.writing() as connection:
        due = await tokens.ask_to_renew(connection, host, now_ms)
        if not due:
            raise UnknownToken(f"is bound to host {host!r}")
        deed = Deed(at_ms=now_ms, actor=actor(), action="token-rotate", host=host, detail={"token": ",".join(due)})
        await audit.note(connection, deed)


async def _revoke(location: Location, token_id: str | None, host: str | None) -> None:
    now_ms = wall_ms()
    async with opened(location) as db, db.writing() as connection:
        if host is None:
            found = await tokens.find(connection, token_id or "")
            ids, whose = [token_id or ""], found.host if found else None
        else:
            ids, whose = [grant.id for grant in await tokens.of_host(connection, host, now_ms)], host
        ended = [one for one in ids if await tokens.revoke(connection, one, now_ms)]
        if not ended:
            raise UnknownToken(f"is bound to host {host!r}" if host else f"has the id {token_id!r}")
        detail = {"token": ",".join(ended)}
        await audit.note(
            connection, Deed(at_ms=now_ms, actor=actor(), action="token-revoke", host=whose, detail=detail)
        )


def line(grant: Grant, now_ms: int) -> str:
    """`0a1b2c3d4e5f  push   alive    2026-11-24 14:00 UTC  lb1  until 2027-02-22 14:00`."""
    life = "revoked" if grant.revoked_ms is not None else "alive" if grant.is_alive(now_ms) else "expired"
    subject = f"role {grant.role or 'any'}, {grant.uses_left} left" if grant.scope is Scope.JOIN else grant.host
    until = f"  until {_moment(grant.expires_ms)}" if grant.expires_ms is not None else ""
    return f"{grant.id}  {grant.scope:<5}  {life:<7}  {_moment(grant.created_ms)} UTC  {subject or 'any host'}{until}"


def _moment(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M")
