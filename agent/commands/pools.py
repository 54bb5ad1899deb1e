"""`portgauge-agent pools`: the hottest pools of this host, once or live."""

import argparse
import contextlib
import json
import os
import sys
import time
from collections.abc import Callable, Iterator

from agent.commands.arguments import add_netns, add_no_probe, positive_integer, positive_seconds
from agent.failures import Failures
from agent.host import HostSampler
from agent.identity import host_name
from agent.insight import Insight
from agent.perf.errors import WatchUnavailable
from agent.perf.watcher import FailureWatcher
from agent.render import pools_table
from agent.report import pools_report
from shared import clock

CLEAR_BELOW = "\x1b[J"
HOME = "\x1b[H"


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "pools",
        help="list the hottest pools",
        description="List the pools that hold the largest share of their ports.",
        epilog="example: portgauge-agent pools --watch --limit 10",
    )
    parser.add_argument("--watch", action="store_true", help="refresh in place until Ctrl-C")
    parser.add_argument("--interval", type=positive_seconds, default=2.0, metavar="S", help="seconds between refreshes")
    parser.add_argument("--json", action="store_true", help="print one JSON object (with --watch: one a line)")
    parser.add_argument("--limit", type=positive_integer, default=20, metavar="N", help="pools to list a namespace")
    add_netns(parser)
    add_no_probe(parser)
    parser.set_defaults(run=run, parser=parser)


def run(arguments: argparse.Namespace) -> int:
    """Print the table once, or again and again."""
    sampler = HostSampler(only=arguments.netns, may_probe=not arguments.no_probe, at_once=not arguments.watch)
    insight = Insight(sampler.atlas)
    in_place = arguments.watch and not arguments.json and _can_go_back()
    try:
        with _watching(wanted=arguments.watch) as failures:
            while True:
                _show(_page(sampler, insight, failures(), arguments), in_place=in_place)
                if not arguments.watch:
                    return 0
                time.sleep(arguments.interval)
    except KeyboardInterrupt:
        return 0


def _can_go_back() -> bool:
    """Whether standard output is a terminal that knows how to write over what it shows."""
    return sys.stdout.isatty() and os.environ.get("TERM") not in {None, "", "dumb"}


@contextlib.contextmanager
def _watching(*, wanted: bool) -> Iterator[Callable[[], Failures]]:
    """What failed since the last call; nothing where that is not wanted or cannot be watched (see: doctor)."""
    try:
        watcher = FailureWatcher.start() if wanted else None
    except WatchUnavailable:
        watcher = None
    if watcher is None:
        yield Failures
        return
    with contextlib.closing(watcher):
        yield watcher.drain


def _page(sampler: HostSampler, insight: Insight, failures: Failures, arguments: argparse.Namespace) -> str:
    taken_at_ms = clock.wall_ms()
    now_s = clock.monotonic_s()
    sample = insight.into(sampler.sample_all(now_s), now_s, failures)
    if not arguments.json:
        table = pools_table(sample.summaries, arguments.limit, sample.unreadable)
        return "\n\n".join([table, *(f"note: {note}" for note in sample.notes)])
    report = pools_report(host_name(), taken_at_ms, sample.summaries, arguments.limit, sample.unreadable)
    report["notes"] = sample.notes
    return json.dumps(report, indent=None if arguments.watch else 2)


def _show(page: str, *, in_place: bool) -> None:
    print(f"{HOME}{CLEAR_BELOW}{page}" if in_place else page, flush=True)
