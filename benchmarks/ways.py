"""Ways to count the ports that each pool holds: the agent's, those people use today, and the floor under them all.

    python -m benchmarks.ways NAME

counts once for each line on standard input, and answers each with one line of JSON: CPU and wall time in seconds, peak
resident memory in bytes, and what it counted. A process of its own a way, so that memory and CPU are nobody else's.
"""

import argparse
import contextlib
import json
import re
import resource
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from agent.netlink.messages import ends_dump
from agent.netlink.request import both_families, local_port_in, tcp_families
from agent.netlink.sock_diag import NETLINK_SOCK_DIAG, RECEIVE_BYTES
from agent.sampling import Sampler
from agent.sysctl import read_port_settings
from agent.tally import CONNECTED_STATES
from shared.addresses import fold, format_endpoint, format_ip, parse_ip
from shared.ports import PortRange
from shared.tcp import State

Held = Counter[tuple[str, str]]
"""(local ip, peer endpoint), as text → sockets on local ports of the range."""
Tuples = Counter[tuple[str, str, int]]
"""The same by (local ip, peer ip, peer port)."""
NO_HOLD = frozenset({State.LISTEN, State.CLOSE, State.BOUND_INACTIVE})
THREAD_NET = Path("/proc/thread-self/net")
AWK = """
$1 == "LISTEN" || $1 == "UNCONN" { next }
{
    match($4, /:[0-9]+$/)
    port = substr($4, RSTART + 1) + 0
    if (port >= low && port <= high) used[substr($4, 1, RSTART - 1) " " $5]++
}
END { for (pool in used) if (used[pool] >= at_least) print used[pool], pool }
"""


class Counted(NamedTuple):
    """What a way counted, and the peak resident memory of the programs it started for that, if any."""

    held: Held
    children_bytes: int = 0


Way = Callable[[], Counted]


def portgauge() -> Way:
    """The agent's sample in steady state: settings, listeners, the dump, the readings."""
    sampler = Sampler()
    return lambda: _of_summary(sampler, now_s=0.0)


def portgauge_refreshing() -> Way:
    """The same with the search for explicit binders that the agent adds every 10 to 60 s."""
    sampler = Sampler()
    later = iter(range(1_000, sys.maxsize, 1_000))
    return lambda: _of_summary(sampler, now_s=float(next(later)))


def _of_summary(sampler: Sampler, now_s: float) -> Counted:
    readings = sampler.sample(now_s).readings
    return _by_text(Counter({(one.pool.local_ip, one.pool.peer_ip, one.pool.peer_port): one.held for one in readings}))


def _by_text(tuples: Tuples) -> Counted:
    return Counted(
        Counter({(local, format_endpoint(parse_ip(peer), port)): held for (local, peer, port), held in tuples.items()})
    )


def floor() -> Way:
    """What the kernel and the copies cost: the agent's own request, the answer received and thrown away."""
    return _discarding([both_families(CONNECTED_STATES, local_port_in([_port_range()]))])


def floor_by_family() -> Way:
    """The floor in the modern form of the request, which takes one walk a family."""
    return _discarding(tcp_families(CONNECTED_STATES, local_port_in([_port_range()])))


def _discarding(requests: Sequence[bytes]) -> Way:
    netlink = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, NETLINK_SOCK_DIAG)
    buffer = memoryview(bytearray(RECEIVE_BYTES))

    def once() -> Counted:
        for request in requests:
            netlink.send(request)
            while not ends_dump(buffer, 0, netlink.recv_into(buffer)):
                pass
        return Counted(Counter())

    return once


def ss_awk() -> Way:
    """The published script: `ss` writes every socket as text, awk groups those on ports of the range."""
    port_range = _port_range()
    limits = ["-v", f"low={port_range.low}", "-v", f"high={port_range.high}", "-v", "at_least=1"]

    def once() -> Counted:
        with (
            subprocess.Popen(["ss", "-Htan"], stdout=subprocess.PIPE) as ss,
            subprocess.Popen(["awk", *limits, AWK], stdin=ss.stdout, stdout=subprocess.PIPE, text=True) as awk,
        ):
            if ss.stdout:
                ss.stdout.close()  # Else ss would not learn that awk died.
            peak_bytes = _peak_until_end(ss, awk)
            answer, _ = awk.communicate()
        rows = (line.split() for line in answer.splitlines())
        return Counted(Counter({(local.strip("[]"), peer): int(held) for held, local, peer in rows}), peak_bytes)

    return once


def _peak_until_end(*children: subprocess.Popen[bytes] | subprocess.Popen[str]) -> int:
    """Look at their memory until the last one ends: a process that has ended has none to show."""
    peaks = [0] * len(children)
    while children[-1].poll() is None:
        for number, child in enumerate(children):
            with contextlib.suppress(OSError):
                peaks[number] = _peak_bytes(str(child.pid))
        time.sleep(0.01)
    return sum(peaks)


def proc_net_tcp() -> Way:
    """/proc/net/tcp and tcp6, read and grouped in Python."""
    port_range = _port_range()

    def once() -> Counted:
        held: Counter[tuple[str, str]] = Counter()
        for name in ("tcp", "tcp6"):
            with (THREAD_NET / name).open() as table:
                next(table)
                held.update(_outbound(table, port_range))
        return _by_text(Counter({_readable(*pool): sockets for pool, sockets in held.items()}))

    return once


def _outbound(table: Iterable[str], port_range: PortRange) -> Iterator[tuple[str, str]]:
    for line in table:
        _, local, peer, state, _ = line.split(None, 4)
        ip, _, port = local.partition(":")
        if int(port, 16) in port_range and int(state, 16) not in NO_HOLD:
            yield ip, peer


def _readable(local: str, peer: str) -> tuple[str, str, int]:
    ip, _, port = peer.partition(":")
    return format_ip(_packed(local)), format_ip(_packed(ip)), int(port, 16)


def _packed(hexadecimal: str) -> bytes:
    """The address that /proc writes as words in host order."""
    words = re.findall("." * 8, hexadecimal)
    return fold(b"".join(int(word, 16).to_bytes(4, sys.byteorder) for word in words))


def psutil() -> Way:
    """psutil.net_connections, grouped; it also finds each socket's process, whether one asks or not."""
    import psutil as library  # noqa: PLC0415 - its memory must not count in the others' processes

    port_range = _port_range()

    def once() -> Counted:
        return _by_text(
            Counter(
                (one.laddr.ip, one.raddr.ip, one.raddr.port)
                for one in library.net_connections("tcp")
                if one.laddr and one.raddr and one.laddr.port in port_range
            )
        )

    return once


def pyroute2() -> Way:
    """pyroute2's DiagSocket, one request a family, grouped."""
    from pyroute2 import DiagSocket  # noqa: PLC0415 - as above

    port_range = _port_range()
    diag = DiagSocket()
    diag.bind()

    def once() -> Counted:
        return _by_text(
            Counter(
                (one["idiag_src"], one["idiag_dst"], one["idiag_dport"])
                for family in (socket.AF_INET, socket.AF_INET6)
                for one in diag.get_sock_stats(family=family, states=CONNECTED_STATES)
                if one["idiag_sport"] in port_range
            )
        )

    return once


WAYS: dict[str, Callable[[], Way]] = {
    "floor": floor,
    "floor-by-family": floor_by_family,
    "portgauge": portgauge,
    "portgauge-refreshing": portgauge_refreshing,
    "ss-awk": ss_awk,
    "proc-net-tcp": proc_net_tcp,
    "psutil": psutil,
    "pyroute2": pyroute2,
}


class Cost(NamedTuple):
    """What counting once took."""

    cpu_s: float
    wall_s: float
    peak_bytes: int


def measure(way: Way) -> tuple[Cost, Held]:
    """Count once. The CPU is that of the programs a way starts, where it starts any: then we merely wait."""
    before = _cpu_s(resource.RUSAGE_SELF), _cpu_s(resource.RUSAGE_CHILDREN)
    started_s = time.perf_counter()
    held, children_bytes = way()
    wall_s = time.perf_counter() - started_s
    own_s, children_s = _cpu_s(resource.RUSAGE_SELF) - before[0], _cpu_s(resource.RUSAGE_CHILDREN) - before[1]
    return Cost(children_s or own_s, wall_s, children_bytes or _peak_bytes("self")), held


def _cpu_s(who: int) -> float:
    usage = resource.getrusage(who)
    return usage.ru_utime + usage.ru_stime


def _peak_bytes(pid: str) -> int:
    """VmHWM; ru_maxrss would carry the parent's peak over a vfork."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    if not found:
        raise ProcessLookupError(pid)
    return int(found[1]) * 1_024


def _port_range() -> PortRange:
    return read_port_settings().port_range


def main() -> None:
    """Count once a line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("way", choices=WAYS)
    way = WAYS[parser.parse_args().way]()
    for _ in sys.stdin:
        cost, held = measure(way)
        print(json.dumps({"cost": cost, "held": [[*pool, sockets] for pool, sockets in held.items()]}), flush=True)


if __name__ == "__main__":
    main()
