"""`portgauge-agent check`: one verdict for a monitoring system."""

import argparse
import json
import sys
from typing import NoReturn

from agent.accounting.derivation import reading_of
from agent.accounting.question import Question
from agent.commands.arguments import share
from agent.exact import open_accounts
from agent.identity import host_name
from agent.netlink.sock_diag import SockDiag
from agent.report import pools_report
from agent.sampling import Sampler
from agent.tally import Summary
from agent.verdict import Status, Verdict, judge
from shared import clock
from shared.errors import PortgaugeError
from shared.model import Reading

MOST_ACCOUNTED = 10


class _PluginParser(argparse.ArgumentParser):
    """A monitoring system reads status 2 as CRITICAL, so a wrong flag is UNKNOWN."""

    def error(self, message: str) -> NoReturn:
        print(f"UNKNOWN - {message}")
        self.print_usage(sys.stderr)
        self.exit(Status.UNKNOWN)


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "check",
        help="judge the hottest pool as a monitoring plugin",
        description="Exit 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN; the first line names the worst pool and its sums.",
        epilog="example: portgauge-agent check --warning 0.7 --critical 0.85",
    )
    parser.__class__ = _PluginParser
    parser.add_argument("--warning", type=share, default=0.7, metavar="SHARE", help="held share that warns (0.7)")
    parser.add_argument("--critical", type=share, default=0.85, metavar="SHARE", help="held share that alarms (0.85)")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of text")
    parser.set_defaults(run=run, parser=parser)


def run(arguments: argparse.Namespace) -> int:
    """Take one sample and judge it; whatever goes wrong is UNKNOWN, never OK."""
    if arguments.warning > arguments.critical:
        arguments.parser.error("--warning must not be above --critical")
    try:
        taken_at_ms = clock.wall_ms()
        summary = _sample(arguments.warning)
        verdict = judge(summary.readings, warning=arguments.warning, critical=arguments.critical)
    except PortgaugeError as error:
        summary, verdict = None, Verdict(Status.UNKNOWN, f"UNKNOWN - {error}")
    except Exception as error:  # noqa: BLE001 - a plugin that dies with a traceback would be read as WARNING
        summary, verdict = None, Verdict(Status.UNKNOWN, f"UNKNOWN - internal error: {error!r}")
    if arguments.json:
        report = pools_report(host_name(), taken_at_ms, [summary], MOST_ACCOUNTED) if summary else {}
        print(json.dumps({"status": verdict.status.name, "message": verdict.text.split(" | ")[0], **report}, indent=2))
    else:
        print(verdict.text)
    return verdict.status


def _sample(warning: float) -> Summary:
    """The fast tally, with the pools that it puts near a threshold accounted for exactly."""
    sampler = Sampler()
    try:
        summary = sampler.sample(clock.monotonic_s())
    finally:
        sampler.close()
    near = [one for one in summary.readings[:MOST_ACCOUNTED] if one.occupancy >= warning]
    if not near:
        return summary
    exact = {one.pool: one for one in _accounted(near)}
    return Summary(summary.namespace, tuple(exact.get(one.pool, one) for one in summary.readings))


def _accounted(readings: list[Reading]) -> list[Reading]:
    with SockDiag() as diag:
        accountant = open_accounts(diag)
        return [
            reading_of(
                accountant.account(
                    Question(local=one.pool.local, peer=one.pool.peer, peer_port=one.pool.peer_port), thoroughly=False
                ),
                one.pool.netns,
            )
            for one in readings
        ]
