"""`portgauge-agent advise`: what to do about the pools near their limit, with the sums."""

import argparse
import json
import socket
from typing import Any

from agent import sysctl
from agent.binders import IDLE, LISTEN, read_sockets
from agent.commands.arguments import add_netns, add_no_probe, positive_integer, share
from agent.host import HostSampler
from agent.insight import Insight
from agent.netlink.records import Socket
from agent.netlink.request import both_families, local_port_in, one_family
from agent.netlink.sock_diag import SockDiag
from agent.netns import Atlas
from agent.render import advice_text
from agent.report import reading_report
from agent.tally import CONNECTED_STATES
from shared import clock
from shared.advice import Option, Situation, options
from shared.model import Reading
from shared.ports import HIGHEST_PORT, PortRange
from shared.tcp import ALL_STATES, State

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
    advice = [(one, _options(sampler.atlas, one, arguments.target)) for one in near[:MOST_POOLS]]
    if arguments.json:
        print(json.dumps({"pools": [_report(one, found) for one, found in advice]}, indent=2))
    else:
        print(advice_text(advice, arguments.at_least, len(near) - len(advice)))
    return 0


def _options(atlas: Atlas, reading: Reading, target: int | None) -> list[Option]:
    return options(atlas.inside(reading.pool.netns, lambda _place: situation(reading)), target)


def situation(reading: Reading) -> Situation:
    """The pool and what surrounds it, in the namespace this thread is in."""
    settings = sysctl.read_port_settings()
    with SockDiag() as diag:
        in_use = ports_in_use(diag, settings.port_range)
    return Situation(reading=reading, settings=settings, in_use=in_use)


def ports_in_use(diag: SockDiag, port_range: PortRange) -> dict[int, str]:
    """Ports outside the range that something listens on or is bound to now, with what.

    A wider range would lend them to connect(), and the service could not come back to its port after a restart.
    """
    outside = [
        PortRange(low, high)
        for low, high in ((1, port_range.low - 1), (port_range.high + 1, HIGHEST_PORT))
        if low <= high
    ]
    if not outside:
        return {}
    here = local_port_in(outside)
    tcp = read_sockets(diag, [both_families(LISTEN | IDLE, here)])
    explicit = read_sockets(diag, [both_families(CONNECTED_STATES, local_port_in(outside, explicit_only=True))])
    udp = read_sockets(
        diag, [one_family(family, socket.IPPROTO_UDP, ALL_STATES, here) for family in (socket.AF_INET, socket.AF_INET6)]
    )
    found = dict.fromkeys((one.local_port for one in explicit), "bound, connected")
    found |= dict.fromkeys((one.local_port for one in udp), "UDP")
    return found | {one.local_port: _use(one) for one in tcp}


def _use(one: Socket) -> str:
    return "listening" if one.state == State.LISTEN else "bound, idle"


def _report(reading: Reading, found: list[Option]) -> dict[str, Any]:
    told = [{"title": option.title, "gain": option.gain, "how": list(option.how)} for option in found]
    return reading_report(reading) | {"options": told}
