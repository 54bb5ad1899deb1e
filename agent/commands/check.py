"""`portgauge-agent check`: one verdict for a monitoring system."""

import argparse
import json
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

from agent.commands.arguments import add_netns, add_no_probe, positive_seconds, threshold
from agent.host import HostSample, HostSampler
from agent.identity import host_name
from agent.insight import Insight
from agent.report import pools_report
from agent.threshold import at_least
from agent.verdict import DIAGNOSIS, LISTING, Status, Thresholds, Verdict, configuration, judge
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
    as_range = "or a range of shares, as plugins have it: 0.2:0.7 outside, @0.2:0.7 inside, 0.2: below, ~:0.7 above"
    warning, critical = f"held share that warns from there on (0.7), {as_range}", "the same for what alarms (0.85)"
    parser.add_argument("-w", "--warning", type=threshold, default=at_least(0.7), metavar="SHARE", help=warning)
    parser.add_argument("-c", "--critical", type=threshold, default=at_least(0.85), metavar="SHARE", help=critical)
    verbose = (
        "say more: the pool's sums by state; twice, the fullest pools and the settings; thrice, how it was sampled"
    )
    parser.add_argument("-v", "--verbose", action="count", default=0, help=verbose)
    timeout = "seconds after which it ends as UNKNOWN (10)"
    parser.add_argument("-t", "--timeout", type=positive_seconds, default=10.0, metavar="S", help=timeout)
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of text")
    add_netns(parser)
    add_no_probe(parser)
    parser.set_defaults(run=run, parser=parser)


def run(arguments: argparse.Namespace) -> int:
    """Take one sample and judge it; whatever goes wrong, or takes too long, is UNKNOWN, never OK."""
    warning, critical = arguments.warning, arguments.critical
    if warning.is_inside and critical.is_inside and warning.low > critical.low and warning.high == critical.high:
        arguments.parser.error("--warning must not be above --critical")
    with _at_most(arguments.timeout, as_json=arguments.json):
        return _judged(arguments)


@contextmanager
def _at_most(seconds: float, *, as_json: bool) -> Iterator[None]:
    """Ends the process as UNKNOWN where the block takes longer: before its scheduler does, which would know no reason.

    A signal interrupts whatever hangs; only the main thread can ask for one, and a plugin has no other.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def give_up(*_: object) -> None:
        text = f"UNKNOWN - no sample within {seconds:g} s (--timeout)"
        print(json.dumps(_report(Verdict(Status.UNKNOWN, text), None, 0)) if as_json else text, flush=True)
        os._exit(Status.UNKNOWN)

    before = signal.signal(signal.SIGALRM, give_up)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _judged(arguments: argparse.Namespace) -> int:
    thresholds = Thresholds(warning=arguments.warning, critical=arguments.critical)
    taken_at_ms, now_s = clock.wall_ms(), clock.monotonic_s()
    sample: HostSample | None = None
    try:
        sampler = HostSampler(only=arguments.netns, may_probe=not arguments.no_probe, at_once=True)
        sample = Insight(sampler.atlas).into(sampler.sample_all(now_s), now_s)
        verdict = judge(
            sample.readings,
            thresholds,
            own=sample.own,
            unreadable=sample.unreadable,
            verbosity=arguments.verbose,
        )
    except PortgaugeError as error:
        verdict = Verdict(Status.UNKNOWN, f"UNKNOWN - {error}")
    except Exception as error:  # noqa: BLE001 - a plugin that dies with a traceback would be read as WARNING
        verdict = Verdict(Status.UNKNOWN, f"UNKNOWN - internal error: {error!r}")
    if arguments.json:
        print(json.dumps(_report(verdict, sample, taken_at_ms), indent=2))
    else:
        took_s = clock.monotonic_s() - now_s
        print("\n".join([verdict.text, *(_more(arguments, sample, thresholds, took_s) if sample else ())]))
    return verdict.status


def _more(arguments: argparse.Namespace, sample: HostSample, thresholds: Thresholds, took_s: float) -> Iterator[str]:
    """What follows the verdict: notes always, the rest where it was asked for."""
    if arguments.verbose >= LISTING:
        yield from configuration([one.namespace for one in sample.summaries], thresholds)
    if arguments.verbose >= DIAGNOSIS:
        from agent.version import agent_version  # noqa: PLC0415 - takes longer than a whole check

        probing = "not probed" if arguments.no_probe else "probed where it matters"
        yield f"{sample.looked_at:,} namespaces with {sample.sockets:,} outbound sockets in {took_s:.3f} s, {probing}"
        yield f"portgauge {agent_version()}, Linux {os.uname().release}, user {os.geteuid()}"
    yield from (f"note: {note}" for note in sample.notes)


def _report(verdict: Verdict, sample: HostSample | None, taken_at_ms: int) -> dict[str, Any]:
    told = {"status": verdict.status.name, "message": verdict.text.splitlines()[0].split(" | ")[0]}
    if sample is None:
        return told
    report = pools_report(host_name(), taken_at_ms, sample.summaries, MOST_LISTED, sample.unreadable)
    return told | report | {"notes": sample.notes}
