"""The whole product on one machine: a fleet of load balancers, and what goes wrong in fleets.

    python -m tests.fleet [--hosts 20] [--hurry] [--write]

Each load balancer is a network namespace with its own HAProxy, backend, hundred ports and agent; they meet on a bridge
with clients, two backends of all, and a collector with PostgreSQL and Alertmanager. Six faults come one after another;
of each is printed whether and when it was detected, named, notified and recovered, in seconds from the fault. Exit
status 1 if any was not. As root, or as an ordinary user in namespaces of their own; leaves nothing behind.
"""

import argparse
import shutil
import signal
import sys
import time
from pathlib import Path

from benchmarks.document import measured_by, write_section
from benchmarks.fabricate import REPOSITORY
from tests.acceptance.parts import DidNotStart, NotInstalled
from tests.fleet.centre import HURRIED_S, changes, rules_for
from tests.fleet.faults import FAULTS
from tests.fleet.ground import LEAST_HOSTS, Ground, TookTooLong, ground, why_none
from tests.fleet.outcome import Outcome, table
from tests.netns import become_root_of_own_namespaces

DOCUMENT = REPOSITORY / "docs" / "fleet.md"
MOST_HOSTS = 200
INTERRUPTED = 130


def main() -> int:
    """Run it. 1 where anything was not detected, named, notified or recovered."""
    arguments = _parser().parse_args()
    become_root_of_own_namespaces()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.default_int_handler)
    reason = why_none()
    if reason:
        print(reason, file=sys.stderr)
        return 1
    try:
        return _run(arguments)
    except KeyboardInterrupt:
        return INTERRUPTED
    except (NotInstalled, DidNotStart, TookTooLong) as error:
        print(error, file=sys.stderr)
        return 1


def _run(arguments: argparse.Namespace) -> int:
    began_s = time.monotonic()
    outcomes: list[Outcome] = []
    with ground(arguments.hosts, is_hurried=arguments.hurry) as on:
        print(
            f"{arguments.hosts} load balancers report, {time.monotonic() - began_s:.0f} s after the start.", flush=True
        )
        for fault in FAULTS:
            outcomes.append(fault(on))
            print(_line(outcomes[-1]), flush=True)
        if arguments.logs:
            _keep_logs(on, arguments.logs)
    took = f"{arguments.hosts} load balancers, {time.monotonic() - began_s:.0f} s in all, start and end included."
    told = f"{table(outcomes)}\n\n{took} {_rules(arguments)}"
    print(f"\n{told}")
    if arguments.write:
        write_section("fleet", f"{measured_by('tests.fleet')}\n\n{told}", DOCUMENT)
    return int(not all(one.is_whole for one in outcomes))


def _line(one: Outcome) -> str:
    reached = ", ".join(f"{stage} {seconds:.1f} s" for stage, seconds in one.at_s.items())
    return f"{one.fault}: {reached}{f'; {one.missing}' if one.missing else ''}"


def _rules(arguments: argparse.Namespace) -> str:
    """Which rules people were told by, and what was cut why."""
    changed = changes(rules_for(arguments.hosts, is_hurried=arguments.hurry))
    if not changed:
        return "Rules are the built-in ones as they are."
    why = ["so that a day of this fleet lasts a minute"] if arguments.hurry else []
    why += ["as there are so few hosts"] if changes(rules_for(arguments.hosts, is_hurried=False)) else []
    return f"Rules are the built-in ones, changed {' and '.join(why)}: {'; '.join(changed)}."


def _keep_logs(on: Ground, to: Path) -> None:
    for log in on.directory.rglob("*.log"):
        shutil.copy(log, to / f"{log.parent.name}-{log.name}")


def _hosts(text: str) -> int:
    count = int(text)
    if not LEAST_HOSTS <= count <= MOST_HOSTS:
        raise argparse.ArgumentTypeError(f"need {LEAST_HOSTS} to {MOST_HOSTS}")
    return count


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hosts", type=_hosts, default=20, metavar="N", help="load balancers (20)")
    hurry = f"cut hold and keep times of rules to {HURRIED_S:g} s"
    parser.add_argument("--hurry", action="store_true", help=hurry)
    parser.add_argument("--logs", type=Path, metavar="DIR", help="copy the logs of agents, proxies, collector there")
    parser.add_argument("--write", action="store_true", help="into docs/fleet.md")
    return parser


if __name__ == "__main__":
    sys.exit(main())
