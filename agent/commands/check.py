"""`portgauge-agent check`: one verdict for a monitoring system."""

import argparse
import json
import sys
from typing import Any, NoReturn

from agent.commands.arguments import add_netns, add_no_probe, share
from agent.host import HostSample, HostSampler
from agent.identity import host_name
from agent.insight import Insight
from agent.report import pools_report
from agent.verdict import Status, Thresholds, Verdict, judge
from shared import clock
from shared.errors import PortgaugeError

MOST_LISTED = 10


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
    add_netns(parser)
    add_no_probe(parser)
    parser.set_defaults(run=run, parser=parser)


def run(arguments: argparse.Namespace) -> int:
    """Take one sample and judge it; whatever goes wrong is UNKNOWN, never OK."""
    if arguments.warning > arguments.critical:
        arguments.parser.error("--warning must not be above --critical")
    thresholds = Thresholds(warning=arguments.warning, critical=arguments.critical)
    taken_at_ms = clock.wall_ms()
    sample: HostSample | None = None
    try:
        sampler, now_s = (
            HostSampler(only=arguments.netns, may_probe=not arguments.no_probe, at_once=True),
            clock.monotonic_s(),
        )
        sample = Insight(sampler.atlas).into(sampler.sample_all(now_s), now_s)
        verdict = judge(sample.readings, thresholds, own=sample.own, unreadable=sample.unreadable)
    except PortgaugeError as error:
        verdict = Verdict(Status.UNKNOWN, f"UNKNOWN - {error}")
    except Exception as error:  # noqa: BLE001 - a plugin that dies with a traceback would be read as WARNING
        verdict = Verdict(Status.UNKNOWN, f"UNKNOWN - internal error: {error!r}")
    if arguments.json:
        print(json.dumps(_report(verdict, sample, taken_at_ms), indent=2))
    else:
        print("\n".join([verdict.text, *(f"note: {note}" for note in (sample.notes if sample else ()))]))
    return verdict.status


def _report(verdict: Verdict, sample: HostSample | None, taken_at_ms: int) -> dict[str, Any]:
    told = {"status": verdict.status.name, "message": verdict.text.splitlines()[0].split(" | ")[0]}
    if sample is None:
        return told
    report = pools_report(host_name(), taken_at_ms, sample.summaries, MOST_LISTED, sample.unreadable)
    return told | report | {"notes": sample.notes}
