"""What the exact account of one pool costs, beside one more dump of the namespace.

    python -m benchmarks.accounting [--sockets 200000] [--write]

The dump is bare: the request of a sample, received and thrown away. An account is what `explain` prints, probes and
all; of pools as full as the rows say. Times are CPU of this thread, the quickest of ROUNDS that take turns, because
neighbours can only add to them. Exit status 1 where the account of the fullest pool costs as much as the dump.
"""

import argparse
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from agent.accounting.derivation import Derivation
from agent.accounting.question import Question
from agent.binders import read_sockets
from agent.exact import Accountant
from agent.netlink.request import both_families, local_port_in
from agent.netlink.sock_diag import SockDiag
from agent.probe import probe
from agent.sysctl import read_port_settings
from agent.tally import CONNECTED_STATES
from agent.traits import try_out
from benchmarks.document import measured_by, write_section
from benchmarks.fabricate import FIRST_PEER_PORT, FIRST_PORT, LOCAL_IP, PEER_IP, fabricated
from shared.addresses import parse_ip
from tests.netns import become_root_of_own_namespaces, fresh_netns

PORTS_A_POOL = 28_000
ROUNDS = 7
PROBES = 2_000
UNUSED_PEER_PORT = FIRST_PEER_PORT - 1
BAR = 1.0


class Costs(NamedTuple):
    """CPU seconds, and what they were spent on."""

    dump_s: float
    read_s: float
    probe_s: float
    """Of PROBES ports."""
    accounts: Mapping[str, tuple[float, Derivation]]
    """By what was asked for."""


def measure(sockets: int, ports_a_pool: int = PORTS_A_POOL, rounds: int = ROUNDS) -> Costs:
    """Measure in the namespace of this thread, where that many sockets stand."""
    in_range = local_port_in([read_port_settings().port_range])
    pools, rest = divmod(sockets, ports_a_pool)
    asked = {"a pool near its end": FIRST_PEER_PORT, "an unused pool": UNUSED_PEER_PORT}
    if rest:
        asked["a pool with room"] = FIRST_PEER_PORT + pools
    ports = range(FIRST_PORT, FIRST_PORT + min(PROBES, ports_a_pool))
    try_out()
    with SockDiag() as diag:
        request = both_families(CONNECTED_STATES, in_range)
        told = {name: Accountant(diag).account(_question(port)) for name, port in asked.items()}
        actions: dict[str, Callable[[], object]] = {
            "dump": lambda: sum(len(buffer) for buffer in diag.dump(request)),
            "read": lambda: read_sockets(diag, [request]),
            "probe": lambda: probe(ports),
        }
        for name, port in asked.items():
            actions[name] = lambda port=port: Accountant(diag).account(_question(port))  # type: ignore[misc] # bound now
        least = quickest(actions, rounds)
    accounts = {name: (least[name], told[name]) for name in asked}
    return Costs(least["dump"], least["read"], least["probe"] / len(ports) * PROBES, accounts)


def _question(peer_port: int) -> Question:
    return Question(local=parse_ip(LOCAL_IP), peer=parse_ip(PEER_IP), peer_port=peer_port)


def quickest(actions: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """CPU seconds of each, in turn, the least of so many rounds."""
    taken: dict[str, list[float]] = {name: [] for name in actions}
    for _ in range(rounds):
        for name, action in actions.items():
            started_s = time.thread_time()
            action()
            taken[name].append(time.thread_time() - started_s)
    return {name: min(times) for name, times in taken.items()}


def table(costs: Costs, sockets: int) -> str:
    """The costs as markdown."""
    lines = [
        f"| {sockets:,} sockets | ports held | ports probed | CPU ms | × dump |",
        "| --- | --: | --: | --: | --: |",
        f"| one bare dump | | | {costs.dump_s * 1e3:,.1f} | 1.00 |",
    ]
    for name, (cpu_s, told) in costs.accounts.items():
        row = [f"account of {name}", f"{told.held:,}", f"{told.probed:,}", f"{cpu_s * 1e3:,.1f}"]
        lines.append(f"| {' | '.join(row)} | {cpu_s / costs.dump_s:.2f} |")
    lines.append(
        f"| every socket read one by one | | | {costs.read_s * 1e3:,.1f} | {costs.read_s / costs.dump_s:.2f} |"
    )
    each = [
        f"- a probe costs {costs.probe_s / PROBES * 1e6:.1f} µs a port",
        f"- a socket read one by one {costs.read_s / sockets * 1e6:.1f} µs, the kernel's share included",
    ]
    return "\n".join([*lines, "", *each, verdict(costs)])


def ratio(costs: Costs) -> float:
    """The account of the fullest pool by the dump."""
    cpu_s, _told = max(costs.accounts.values(), key=lambda one: one[1].held)
    return cpu_s / costs.dump_s


def verdict(costs: Costs) -> str:
    """Whether the bar is met, in a line."""
    met = "met" if ratio(costs) < BAR else "**MISSED**"
    return f"- {met}: the account of a pool near its end costs {ratio(costs):.2f} × one more dump (bar: < {BAR:.0f})"


def main(argv: Sequence[str] | None = None) -> int:
    """Fabricate, measure, print, and write where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sockets", type=int, default=200_000, help="(%(default)s)")
    parser.add_argument("--write", action="store_true", help="put the table into docs/performance.md")
    arguments = parser.parse_args(argv)
    become_root_of_own_namespaces()
    with fresh_netns() as netns:
        holding = fabricated(arguments.sockets, PORTS_A_POOL)
        netns.run(holding.__enter__)
        try:
            costs = netns.run(measure, arguments.sockets)
        finally:
            netns.run(holding.__exit__, None, None, None)
    text = f"{measured_by('benchmarks.accounting')}\n\n{table(costs, arguments.sockets)}"
    print(text)
    if arguments.write:
        write_section("accounting", text)
    return 0 if ratio(costs) < BAR else 1


if __name__ == "__main__":
    sys.exit(main())
