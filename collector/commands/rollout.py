"""`rollout`: bring a revision of the fleet's configuration to its hosts, and see how that goes."""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec

from collector.api.rollouts import TURNS, RolloutShape, standing, start, turn
from collector.commands.common import Subparsers, actor, add_command, add_database, location_of, opened, parse_length_ms
from collector.commands.table import table
from collector.rollout.plan import Plan, share
from collector.rollout.step import place_of
from collector.storage import hosts, rollouts
from collector.storage.database import AsyncConnection
from collector.storage.location import Location
from shared.clock import wall_ms
from shared.settings import SettingsError, build, read_toml

EXAMPLE = 'portgauge-collector rollout start --settings tune.toml --role edge --canary lb1 --reason "CHG-4711"'
_COLUMNS = ("id", "state", "percent", "hosts", "reached", "applied", "failed", "behind", "reason", "why", "waits_for")


def add(subparsers: "Subparsers[argparse.ArgumentParser]") -> None:
    """Declare the command and its own commands."""
    parser = add_command(subparsers, "rollout", "bring settings to agents: canaries, then percentages", EXAMPLE)
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    starting = add_command(actions, "start", "begin, and print the number of the revision", EXAMPLE)
    what = "TOML with interval_s, cpu_share, thresholds, most_pools, probe, [labels]"
    starting.add_argument("--settings", metavar="FILE", type=Path, required=True, help=what)
    starting.add_argument("--reason", required=True, help="for whoever wonders at night")
    for name in ("host", "role"):
        more = f"only {name}s like this (a shell pattern); repeatable"
        starting.add_argument(f"--{name}", action="append", default=[], metavar=name.upper(), help=more)
    starting.add_argument("--label", action="append", default=[], metavar="NAME=PATTERN", help="only hosts with it")
    starting.add_argument(
        "--canary", action="append", default=[], metavar="HOST", help="first; repeatable (one by hash)"
    )
    starting.add_argument("--steps", default="5,25,50,100", help="percentages after the canaries (5,25,50,100)")
    starting.add_argument("--bake", default="10m", metavar="TIME", help="how long each step has to go well (10m)")
    starting.add_argument(
        "--most-cpu-share", type=float, default=0.05, help="of one core; an agent above halts it (0.05)"
    )
    starting.set_defaults(run=run_start)
    status = add_command(actions, "status", "how each stands", "portgauge-collector rollout status --json")
    status.add_argument("--json", action="store_true", help="print JSON")
    status.set_defaults(run=run_status)
    summaries = {"pause": "give it to nobody else", "resume": "go on, baking anew", "abort": "take every host back"}
    turning = [add_command(actions, name, summaries[name], f"… rollout {name} 3") for name in TURNS]
    for action, name in zip(turning, TURNS, strict=True):
        action.add_argument("id", type=int, metavar="ID", help="as `rollout status` shows it")
        action.set_defaults(run=run_turn, turn=name)
    for action in (starting, status, *turning):
        add_database(action)


def run_start(args: argparse.Namespace) -> int:
    """Print the number of the revision."""
    steps = [int(part) if part.strip().isdigit() else 0 for part in args.steps.split(",")]
    labels = dict(part.partition("=")[::2] for part in args.label)
    asked = {
        "author": actor(),
        "reason": args.reason,
        "settings": read_toml(args.settings),
        "where": {"host": args.host, "role": args.role, "labels": labels},
        "canaries": args.canary,
        "steps": steps,
        "bake_s": parse_length_ms(args.bake) / 1000,
        "most_cpu_share": args.most_cpu_share,
    }
    number, meant = asyncio.run(_start(location_of(args), _plan(asked, args.settings)))
    print(number)
    if not meant:
        print(
            "no host that has reported is meant: see `portgauge-collector hosts` for names and roles", file=sys.stderr
        )
    return 0


def _plan(asked: dict[str, Any], settings: Path) -> Plan:
    """What is asked for. Raises SettingsError, which names the file only where the mistake is in there."""
    try:
        return build(Plan, asked, str(settings))
    except SettingsError as error:
        if error.key.startswith("settings"):
            raise
        raise SettingsError("options", error.key, error.what) from None


def run_status(args: argparse.Namespace) -> int:
    """One line a rollout."""
    found = asyncio.run(_status(location_of(args)))
    if args.json:
        print(msgspec.json.format(msgspec.json.encode({"items": found}), indent=2).decode())
    elif found:
        rows = [one | {name: ", ".join(one[name]) for name in ("failed", "behind")} for one in found]
        print(table(rows, _COLUMNS))
    else:
        print("nothing was rolled out yet")
    return 0


def run_turn(args: argparse.Namespace) -> int:
    """Pause, resume or abort."""
    asyncio.run(_turn(location_of(args), args.id, args.turn))
    return 0


async def _start(location: Location, plan: Plan) -> tuple[int, int]:
    """The number of the revision, and how many hosts it is for."""
    async with opened(location) as db, db.writing() as connection:
        meant = [one.name for one in await hosts.all_hosts(connection) if plan.where.accepts_place(place_of(one))]
        canaries = plan.canaries or await _one_canary(connection, meant)
        return await start(connection, replace(plan, canaries=canaries), actor(), wall_ms()), len(meant)


async def _one_canary(db: AsyncConnection, meant: Sequence[str]) -> tuple[str, ...]:
    """Of these hosts, another each time."""
    before = await rollouts.newest(db, limit=1)
    number = before[0].id + 1 if before else 1
    return (min(meant, key=lambda name: share(name, number)),) if meant else ()


async def _status(location: Location) -> list[RolloutShape]:
    async with opened(location) as db, db.reading() as connection:
        return await standing(connection, wall_ms())


async def _turn(location: Location, number: int, action: str) -> None:
    async with opened(location) as db, db.writing() as connection:
        await turn(connection, number, action, actor(), wall_ms())
