"""`portgauge-agent advise`: what to do about the pools near their limit, with the sums."""

import argparse
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from agent import sysctl
from agent.bound_memory import BoundMemory, MemoryUnusable
from agent.commands.arguments import add_netns, add_no_probe, positive_integer, share
from agent.config import default_spool_dir
from agent.host import HostSampler
from agent.in_use import ports_in_use
from agent.insight import Insight
from agent.netlink.opening import open_sockets
from agent.netns import Atlas
from agent.render import advice_text
from agent.report import reading_report
from shared import clock
from shared.advice import Option, Situation, options
from shared.model import Reading

MOST_POOLS = 5


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "advise",
        help="say what to do about pools near their limit",
        description="For each pool that holds at least a share of its ports: what would give it more, and how many.",
        epilog="example: portgauge-agent advise --at-least 0.5 --target 60000",
    )
    parser.add_argument(
        "--at-least", type=share, default=0.5, metavar="SHARE", help="pools that hold this share of their ports (0.5)"
    )
    parser.add_argument("--target", type=positive_integer, metavar="N", help="connections that a pool should allow")
    parser.add_argument(
        "--spool",
        type=Path,
        metavar="DIR",
        help="where the agent keeps its files, and remembers ports (default: as run)",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    add_netns(parser)
    add_no_probe(parser)
    parser.set_defaults(run=run, parser=parser)


def run(arguments: argparse.Namespace) -> int:
    """Advise on each pool near its limit; on none, say so."""
    sampler = HostSampler(only=arguments.netns, may_probe=not arguments.no_probe, at_once=True)
    now_s = clock.monotonic_s()
    sample = Insight(sampler.atlas).into(sampler.sample_all(now_s), now_s)
    near = [one for one in sample.readings if one.occupancy >= arguments.at_least]
    near.sort(key=lambda one: -one.occupancy)
    advice = [(one, _options(sampler.atlas, one, arguments)) for one in near[:MOST_POOLS]]
    if arguments.json:
        print(json.dumps({"pools": [_report(one, found) for one, found in advice]}, indent=2))
    else:
        print(advice_text(advice, arguments.at_least, len(near) - len(advice)))
    return 0


def _options(atlas: Atlas, reading: Reading, arguments: argparse.Namespace) -> list[Option]:
    here = atlas.inside(reading.pool.netns, lambda _place: situation(reading, arguments.spool or default_spool_dir()))
    return options(here, arguments.target)


def situation(reading: Reading, directory: Path) -> Situation:
    """The pool and what surrounds it, in the namespace this thread is in; `directory` is where `run` remembers."""
    settings = sysctl.read_port_settings()
    with open_sockets() as diag:
        in_use = ports_in_use(diag, settings.port_range)
    remembered, memory = recalled(directory, reading.pool.netns)
    return Situation(reading=reading, settings=settings, in_use=in_use, remembered=remembered, memory=memory)


def recalled(directory: Path, netns: str) -> tuple[dict[int, str], str]:
    """Ports that were in use before, with their use and its last day; and a line on how far that memory goes."""
    try:
        with BoundMemory(directory) as memory:
            seen = memory.seen(netns)
    except MemoryUnusable as error:
        return (
            {},
            f"ports in use before are not known: {error} (portgauge-agent run writes it, --spool names its place)",
        )
    if not seen:
        return {}, f"ports in use before are not known: the agent has not looked at namespace {netns} yet"
    since = day(min(one.first_ms for one in seen.values()))
    told = {port: f"{one.use}, last seen {day(one.last_ms)}" for port, one in seen.items()}
    return told, f"the agent remembers ports in use since {since}"


def day(at_ms: int) -> str:
    """`2026-11-24`, by UTC."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).date().isoformat()


def _report(reading: Reading, found: list[Option]) -> dict[str, Any]:
    told = [{"title": option.title, "gain": option.gain, "how": list(option.how)} for option in found]
    return reading_report(reading) | {"options": told}
