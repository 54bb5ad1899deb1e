"""`silence`: say that nobody is to be told of something for a while, and why."""

import argparse
import asyncio
import getpass
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime

import msgspec

from collector.alerts.silences import InvalidSilence, Silence
from collector.alerts.where import Where
from collector.api.shapes import SilenceShape, silence_shape
from collector.commands.common import (
    InvalidDuration,
    Subparsers,
    add_command,
    add_database,
    location_of,
    opened,
    parse_length_ms,
)
from collector.storage import silences
from collector.storage.location import Location
from shared.clock import wall_ms
from shared.errors import PortgaugeError

EXAMPLE = 'portgauge-collector silence add --role edge --for 2h --reason "kernel upgrade, CHG-4711"'


class UnknownSilence(PortgaugeError):
    """There is no such silence to end."""

    def __init__(self, silence_id: int) -> None:
        super().__init__(f"no current silence has the id {silence_id}; see: portgauge-collector silence list")
        self.silence_id = silence_id


def add(subparsers: "Subparsers[argparse.ArgumentParser]") -> None:
    """Declare the command and its own commands."""
    parser = add_command(subparsers, "silence", "silence alerts for a while; maintenance windows", EXAMPLE)
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    making = add_command(actions, "add", "silence what all options given mean", EXAMPLE)
    for name, what in (
        ("host", "hosts (a shell pattern)"),
        ("role", "roles (a shell pattern)"),
        ("peer", "backends: IP, IP:PORT, NETWORK/BITS or :PORT"),
        ("kind", "kinds of pools: connect, bind, udp"),
        ("netns", "network namespaces (a shell pattern)"),
        ("rule", "names of rules"),
        ("severity", "plan or page"),
    ):
        making.add_argument(f"--{name}", action="append", default=[], metavar=name.upper(), help=f"{what}; repeatable")
    making.add_argument(
        "--label", action="append", default=[], metavar="NAME=PATTERN", help="hosts with such a label; repeatable"
    )
    making.add_argument("--for", dest="length", required=True, metavar="TIME", help="how long: 30m, 2h, 1d")
    making.add_argument("--from", dest="start", metavar="WHEN", help="2026-11-24T22:00 (UTC), for a window to come")
    making.add_argument("--reason", required=True, help="for whoever wonders at night")
    making.add_argument("--author", default=None, help="who says so (default: your user name)")
    making.set_defaults(run=run_add)
    listing = add_command(actions, "list", "list silences that are active or to come", "… silence list --json")
    listing.add_argument("--json", action="store_true", help="print JSON")
    listing.set_defaults(run=run_list)
    ending = add_command(actions, "expire", "end a silence now", "portgauge-collector silence expire 3")
    ending.add_argument("id", type=int, metavar="ID", help="as `silence list` shows it")
    ending.set_defaults(run=run_expire)
    for action in (making, listing, ending):
        add_database(action)


def run_add(args: argparse.Namespace) -> int:
    """Print the id of the new silence."""
    now_ms = wall_ms()
    starts_ms = parse_when(args.start) if args.start else now_ms
    where = Where(
        host=tuple(args.host),
        role=tuple(args.role),
        peer=tuple(args.peer),
        kind=tuple(args.kind),
        netns=tuple(args.netns),
        labels=dict(map(_label, args.label)),
    )
    made = Silence(
        author=args.author or getpass.getuser(),
        reason=args.reason,
        created_ms=now_ms,
        starts_ms=starts_ms,
        ends_ms=starts_ms + parse_length_ms(args.length),
        where=where,
        rule=tuple(args.rule),
        severity=tuple(args.severity),
    )
    print(asyncio.run(_add(location_of(args), made)))
    return 0


def run_list(args: argparse.Namespace) -> int:
    """One line a silence."""
    now_ms = wall_ms()
    found = asyncio.run(_list(location_of(args), now_ms))
    if args.json:
        shapes = [silence_shape(one, now_ms) for one in found]
        print(json.dumps(msgspec.to_builtins({"items": shapes}), indent=2))
    else:
        for one in found:
            print(line(silence_shape(one, now_ms)))
    return 0


def run_expire(args: argparse.Namespace) -> int:
    """What fires still is told from now on."""
    asyncio.run(_expire(location_of(args), args.id))
    return 0


def parse_when(text: str) -> int:
    """ISO 8601 in ms since the epoch; UTC where it names no zone. Raises InvalidDuration."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidDuration(f"{text!r} is not an instant like 2026-11-24T22:00") from None
    return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)


def _words(value: Mapping[str, str] | Sequence[str]) -> list[str]:
    return [f"{name}={pattern}" for name, pattern in value.items()] if isinstance(value, Mapping) else list(value)


def _label(text: str) -> tuple[str, str]:
    name, equals, pattern = text.partition("=")
    if not (name and equals):
        raise InvalidSilence("label", f"{text!r} is not NAME=PATTERN, like dc=fra*")
    return name, pattern


def line(shape: SilenceShape) -> str:
    """`3  active  until 2026-11-24 14:00 UTC  role=edge  ops: kernel upgrade`."""
    until = datetime.fromtimestamp(shape["ends_ms"] / 1000, UTC).strftime("%Y-%m-%d %H:%M")
    parts = {**asdict(shape["where"]), "rule": shape["rule"], "severity": shape["severity"]}
    what = " ".join(f"{key}={','.join(_words(value))}" for key, value in parts.items() if value)
    return f"{shape['id']}  {shape['state']:<7}  until {until} UTC  {what}  {shape['author']}: {shape['reason']}"


async def _add(location: Location, made: Silence) -> int:
    async with opened(location) as db, db.writing() as connection:
        return await silences.add(connection, made)


async def _list(location: Location, now_ms: int) -> list[Silence]:
    async with opened(location) as db, db.reading() as connection:
        return await silences.current(connection, now_ms)


async def _expire(location: Location, silence_id: int) -> None:
    async with opened(location) as db, db.writing() as connection:
        if not await silences.expire(connection, silence_id, wall_ms()):
            raise UnknownSilence(silence_id)
