"""How a pool comes to its headroom, line by line, as `portgauge-agent explain` prints it. Pure."""

import shlex
from dataclasses import dataclass

from collector.alerts.words import HOST_NAMESPACE
from shared.addresses import format_endpoint
from shared.model import Kind, Namespace, Pool, Reading

RECYCLABLE = "further TIME_WAIT can be taken over by connect() (tcp_tw_reuse): not counted as held"
KNEE = "passed: no even-offset port is free, connect() takes about 100 × longer here"


@dataclass(frozen=True, slots=True)
class Line:
    """`term`, what it is made of, the number with its sign, a remark."""

    term: str
    detail: str
    number: str
    remark: str = ""


def namespace_lines(namespace: Namespace) -> list[Line]:
    """From the range to what a pool of the namespace can lend."""
    return [
        Line("range", str(namespace.port_range), f"{len(namespace.port_range):,}"),
        Line("reserved", "", f"− {namespace.reserved:,}", "net.ipv4.ip_local_reserved_ports"),
        Line("blocked", "", f"− {namespace.blocked:,}", "listening, or bound"),
        Line("capacity", "", f"{namespace.capacity:,}"),
    ]


def explain_command(pool: Pool) -> str:
    """What to type on the host to have these sums port by port; of a pool of all destinations one has to be named."""
    words = ["portgauge-agent", "explain", "--local", pool.local_ip]
    words += ["--peer", format_endpoint(pool.peer, pool.peer_port) if pool.kind is Kind.CONNECT else "IP:PORT"]
    words += {Kind.CONNECT: [], Kind.BIND: ["--bind-first"], Kind.UDP: ["--protocol", "udp"]}[pool.kind]
    words += [] if pool.netns == HOST_NAMESPACE else ["--netns", pool.netns]
    # Names of namespaces are what hosts say, and this is copied into a shell.
    return shlex.join(words)


def pool_lines(namespace: Namespace | None, reading: Reading) -> list[Line]:
    """From the range to the ports that are left; without its namespace, from the capacity on."""
    known = namespace is not None and reading.pool.kind is Kind.CONNECT and namespace.capacity == reading.capacity
    lines = namespace_lines(namespace) if known and namespace else [Line("capacity", "", f"{reading.capacity:,}")]
    states = sorted(reading.states.items(), key=lambda one: -one[1])
    parts = [Line("", state.name, f"− {count:,}") for state, count in states]
    other = reading.held - sum(reading.states.values())
    if other > 0:
        parts.append(Line("", "bound, without a connection", f"− {other:,}"))
    lines += [Line("held", "", f"{reading.held:,}"), *parts]
    low, high = reading.headroom_min, reading.headroom_max
    certainty = "exact" if low == high else "between these; the kernel hides which"
    lines.append(Line("headroom", "", f"{low:,}" if low == high else f"{low:,}–{high:,}", certainty))
    if reading.recyclable:
        lines.append(Line("recyclable", "", f"{reading.recyclable:,}", RECYCLABLE))
    if reading.knee and high:
        lines.append(Line("knee", "", "", KNEE))
    return lines
