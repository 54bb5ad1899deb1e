"""`portgauge-agent drill`: an incident rehearsed, from a port in a throwaway namespace to the people who are told."""

import argparse
import json
import random
import sys
from collections.abc import Callable
from pathlib import Path

from agent.commands.arguments import positive_integer, positive_seconds
from agent.drill.asking import Collector, NoAnswer, opened
from agent.drill.ground import LISTENER_PORT, MOST_PORTS, Ground, NoGround
from agent.drill.timeline import Timeline, marks_of
from agent.drill.words import document, table
from agent.identity import host_name
from shared import clock

FILLED = 0.95
"""Not all of it: a connect() that fails is an incident of its own, and takes a minute to be forgotten."""
LOOK_EVERY_S = 0.2
MOST_NOTICES = 200
NOT_IN_TIME, INTERRUPTED = 1, 130
FEWEST_PORTS = 20


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "drill",
        help="rehearse an incident, and see who is told and when",
        description="Fills a pool in a network namespace of its own and follows its alert through the collector. "
        "The agent of this host must run and see other namespaces. Real channels are told: announce it.",
        epilog="example: portgauge-agent drill --collector http://collector:8766 --token-file read-token",
    )
    parser.add_argument("--collector", metavar="URL", default="http://127.0.0.1:8766", help="(%(default)s)")
    parser.add_argument("--token-file", type=Path, metavar="FILE", required=True, help="a token of the scope read")
    parser.add_argument("--tls-ca", type=Path, metavar="FILE", help="certificates to trust (default: the system's)")
    parser.add_argument("--host", metavar="NAME", help="as this host's agent reports (default: the hostname)")
    parser.add_argument("--ports", type=positive_integer, default=300, metavar="N", help="size of the pool (300)")
    parser.add_argument("--rate", type=positive_integer, default=50, metavar="N", help="connections a second (50)")
    what = "allowed from a crossing, and the rule's hold, to the last channel (10)"
    parser.add_argument("--within", type=positive_seconds, default=10.0, metavar="S", help=what)
    what = "how long to wait, beyond the rules' hold, for people to be told, and for the end (90)"
    parser.add_argument("--patience", type=positive_seconds, default=90.0, metavar="S", help=what)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run, parser=parser)


def run(arguments: argparse.Namespace) -> int:
    """0: told in time and resolved; 1: not; what is left of it is nothing, whatever ends it."""
    if not FEWEST_PORTS <= arguments.ports <= MOST_PORTS:
        arguments.parser.error(f"--ports takes {FEWEST_PORTS} to {MOST_PORTS}")
    collector = opened(arguments.collector, arguments.token_file, arguments.tls_ca)
    most = int(FILLED * arguments.ports)
    marks = marks_of(collector.items("/v1/rules"), arguments.ports, most)
    if not marks:
        raise NoAnswer("no rule of the collector watches the occupancy of every host's pools: nothing to follow")
    address = f"127.{random.randint(1, 254)}.{random.randint(0, 254)}.{random.randint(1, 254)}"  # noqa: S311
    host, peer = arguments.host or host_name(), f"{address}:{LISTENER_PORT}"
    timeline = Timeline(host=host, peer=peer, marks=marks, within_s=arguments.within)
    try:
        with Ground(address, arguments.ports) as ground:
            _Drill(collector, ground, timeline).run(most, arguments.rate, arguments.patience)
    except KeyboardInterrupt:
        print("portgauge-agent: interrupted; the namespace and its connections are gone", file=sys.stderr)
        return INTERRUPTED
    print(json.dumps(document(timeline), indent=2) if arguments.json else table(timeline))
    return 0 if timeline.is_in_time else NOT_IN_TIME


class _Drill:
    def __init__(self, collector: Collector, ground: Ground, timeline: Timeline) -> None:
        self._collector, self._ground, self._timeline = collector, ground, timeline
        self._held = 0

    def run(self, most: int, rate: float, patience_s: float) -> None:
        """Be seen, fill, wait until people are told, drain, wait until they know."""
        marks = self._timeline.marks
        self._note("waiting until the collector knows the pool")
        self._ground.fill([1], rate)
        self._until(lambda: self._timeline.has_reading, patience_s)
        if not self._timeline.has_reading:
            return
        self._note(f"filling {self._timeline.peer}: {most} ports, {rate:g} a second")
        self._ground.fill(sorted({mark.needed for mark in marks} | {most}), rate)
        self._until(lambda: self._held == most, most / rate + patience_s)
        self._note("full; waiting until people are told")
        self._until(lambda: self._timeline.is_told, patience_s + max(mark.hold_s for mark in marks))
        self._ground.drain()
        self._note("drained; waiting until people know that it is over")
        self._until(lambda: self._held == 0 and self._timeline.is_resolved, patience_s)

    def _until(self, condition: Callable[[], bool], patience_s: float) -> None:
        deadline_s = clock.monotonic_s() + patience_s
        while not condition() and clock.monotonic_s() < deadline_s:
            for event in self._ground.events(LOOK_EVERY_S):
                if "error" in event:
                    raise NoGround(str(event["error"]))
                self._held = event["held"]
                self._timeline.crossed(self._held, event["at_ms"])
            self._look()

    def _look(self) -> None:
        pools = self._collector.items("/v1/pools", peer=self._timeline.peer)
        now_ms = clock.wall_ms()
        alerts = self._collector.items("/v1/alerts", state="firing")
        self._timeline.look(pools, alerts, self._collector.items("/v1/notices", limit=MOST_NOTICES), now_ms)

    @staticmethod
    def _note(text: str) -> None:
        if sys.stderr.isatty():
            print(text, file=sys.stderr)
