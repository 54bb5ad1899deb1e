"""What a person sees in a terminal, as text. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from agent.accounting.derivation import Derivation
from agent.tally import Summary
from shared.addresses import format_endpoint, format_ip
from shared.model import Namespace, Pool, Reading, Unreadable
from shared.ports import format_ports
from shared.tcp import State

if TYPE_CHECKING:
    from shared.advice import Option  # Only `advise` has any.

BAR_CELLS = 20
_EIGHTHS = " ▏▎▍▌▋▊▉"
MOST_PORTS_NAMED = 60
MOST_NAMES = 10
KNEE = ", past the knee"
"""What is added where connect() has turned slow."""


def bar(share: float, cells: int = BAR_CELLS) -> str:
    """`share` (0.0 to 1.0) as a bar of that many cells, in eighths."""
    eighths = round(min(max(share, 0.0), 1.0) * cells * 8)
    full, rest = divmod(eighths, 8)
    partial = _EIGHTHS[rest] if rest else ""
    return ("█" * full + partial).ljust(cells, "·")


def percent(share: float) -> str:
    """`86.9 %`; never `100.0 %` for a pool that has a port left."""
    return f"{min(share, 0.999) if share < 1 else 1.0:.1%}".replace("%", " %")


def arrow(pool: Pool) -> str:
    """`10.0.0.1 → 10.0.0.2:80`."""
    return str(pool).replace("->", "→")


def states_text(states: Mapping[State, int]) -> str:
    """`ESTABLISHED 22,104 TIME_WAIT 2,391`, most first."""
    return " ".join(f"{state.name} {count:,}" for state, count in sorted(states.items(), key=lambda one: -one[1]))


def headroom_text(low: int, high: int) -> str:
    """`45`, or `40–45` where the kernel hides which."""
    return f"{low:,}" if low == high else f"{low:,}–{high:,}"


def pools_table(summaries: Sequence[Summary], limit: int, unreadable: Sequence[Unreadable] = ()) -> str:
    """The hottest pools of each namespace, a line each, under a line about the namespace.

    The first namespace stays first; of the others the hottest comes next, those without a pool share one line.
    """
    busy = sorted((one for one in summaries[1:] if one.readings), key=lambda one: -one.readings[0].occupancy)
    calm = [one.namespace.name for one in summaries[1:] if not one.readings]
    parts = [_namespace_table(summary, limit) for summary in [*summaries[:1], *busy]]
    if calm:
        parts.append(f"{len(calm):,} more without an outgoing connection on a port of the range: {_some(calm)}")
    return "\n\n".join([*parts, *(unreadable_text(one) for one in unreadable)])


def unreadable_text(unreadable: Unreadable) -> str:
    """`2 network namespaces could not be read: needs CAP_SYS_ADMIN (see: portgauge-agent doctor)`."""
    match unreadable.namespaces:
        case 0:
            which = "some network namespaces"
        case 1:
            which = "1 network namespace"
        case many:
            which = f"{many:,} network namespaces"
    return f"{which} could not be read: {unreadable.why} (see: portgauge-agent doctor)"


def _some(names: Sequence[str]) -> str:
    more = len(names) - MOST_NAMES
    return ", ".join(names[:MOST_NAMES]) + (f" and {more:,} more" if more > 0 else "")


def _namespace_table(summary: Summary, limit: int) -> str:
    every = [_row(reading) for reading in summary.readings[:limit]]
    head = namespace_line(summary.namespace)
    if not every:
        return f"{head}\nno outgoing connection uses a port of the range"
    told = [column for column in _COLUMNS if column not in _SELDOM or any(row[column] for row in every)]
    rows = [{column: column for column in told}, *every]
    widths = {column: max(len(row[column]) for row in rows) for column in told}
    lines = ["  ".join(_cells(row, widths)).rstrip() for row in rows]
    return "\n".join([head, *lines, *_hidden(summary, limit)])


_COLUMNS = ("LOCAL → PEER", "HELD / CAPACITY", "OCCUPANCY", "LEFT", "FAILED", "STATES", "OWNER")
_SELDOM = {"FAILED", "OWNER"}
"""Columns that are left out where they would be empty."""
_RIGHT = {"HELD / CAPACITY", "LEFT", "FAILED"}


def _row(reading: Reading) -> dict[str, str]:
    cells = (
        arrow(reading.pool),
        f"{reading.held:,} / {reading.capacity:,}",
        f"{bar(reading.occupancy)} {percent(reading.occupancy):>7}",
        headroom_text(reading.headroom_min, reading.headroom_max),
        f"{reading.failures:,}" if reading.failures else "",
        states_text(reading.states) + (KNEE if reading.knee else ""),
        reading.owner,
    )
    return dict(zip(_COLUMNS, cells, strict=True))


def _cells(row: Mapping[str, str], widths: Mapping[str, int]) -> Iterable[str]:
    for column, width in widths.items():
        yield row[column].rjust(width) if column in _RIGHT else row[column].ljust(width)


def namespace_line(namespace: Namespace) -> str:
    """The range of a namespace, and what is left of it for a pool."""
    return (
        f"namespace {namespace.name}: range {namespace.port_range} ({len(namespace.port_range):,} ports), "
        f"reserved {namespace.reserved:,}, blocked {namespace.blocked:,}, a pool can lend {namespace.capacity:,}"
    )


def _hidden(summary: Summary, limit: int) -> list[str]:
    rest = summary.namespace.remainder
    more = max(0, len(summary.readings) - limit) + rest.pools
    return [f"and {more:,} more pools, none fuller"] if more else []


def derivation_text(derivation: Derivation, netns: str, note: str = "", owner: str = "") -> str:
    """The account as a sum to follow at 3 a.m., under a line that says whose pool it is."""
    question, headroom = derivation.question, derivation.headroom
    title = f"{format_ip(question.local)} → {format_endpoint(question.peer, question.peer_port)}"
    lines = [
        f"{title}  ({', '.join(filter(None, (question.protocol, f'namespace {netns}', owner)))})",
        "",
        _sum_line("range", str(derivation.port_range), f"{len(derivation.port_range):,}"),
        _sum_line(
            "reserved",
            _named(derivation.reserved),
            f"− {len(derivation.reserved):,}",
            "net.ipv4.ip_local_reserved_ports",
        ),
        *_blocked_lines(derivation),
        _sum_line("capacity", "", f"{derivation.capacity:,}"),
        *_held_lines(derivation),
        _sum_line("headroom", "", f"{headroom:,}", _certainty(derivation)),
    ]
    lines += [f"  at least {derivation.headroom_min:,}: {doubt.ports:,} {doubt.why}" for doubt in derivation.doubts]
    lines += [f"  at most {derivation.headroom_max:,}: {hope.ports:,} {hope.why}" for hope in derivation.hopes]
    if derivation.time_wait_reusable:
        lines.append(
            f"  recyclable  {derivation.time_wait_reusable:,} further TIME_WAIT can be taken over by connect() "
            "(tcp_tw_reuse): not counted as held"
        )
    if derivation.knee and headroom:
        lines.append("  knee        passed: no even-offset port is free, connect() takes about 100 × longer here")
    if note:
        lines.append(f"  note        {note}")
    return "\n".join(lines)


def _sum_line(term: str, detail: str, number: str, remark: str = "") -> str:
    return f"  {term:<10}  {detail:<32} {number:>9}   {remark}".rstrip()


def _blocked_lines(derivation: Derivation) -> list[str]:
    by_reason: dict[str, list[int]] = {}
    for port, why in derivation.blocked.items():
        by_reason.setdefault(why, []).append(port)
    if not by_reason:
        return [_sum_line("blocked", "", "− 0")]
    return [
        _sum_line("blocked" if number == 0 else "", _named(ports), f"− {len(ports):,}", why)
        for number, (why, ports) in enumerate(sorted(by_reason.items()))
    ]


def _held_lines(derivation: Derivation) -> list[str]:
    states = sorted(derivation.states.items(), key=lambda one: -one[1])
    if not states:
        return [_sum_line("held", "", "− 0")]
    return [
        _sum_line("held" if number == 0 else "", state.name, f"− {count:,}")
        for number, (state, count) in enumerate(states)
    ]


def _named(ports: Iterable[int]) -> str:
    text = format_ports(ports)
    return text if len(text) <= MOST_PORTS_NAMED else f"{text[:MOST_PORTS_NAMED].rpartition(',')[0]}, …"


def _certainty(derivation: Derivation) -> str:
    if derivation.headroom_min != derivation.headroom_max:
        return f"between {derivation.headroom_min:,} and {derivation.headroom_max:,}"
    return f"exact ({derivation.probed:,} ports probed)" if derivation.probed else "exact"


def advice_text(advice: "Sequence[tuple[Reading, Sequence[Option]]]", at_least: float, left_out: int) -> str:
    """Each pool with its options, numbered, the gain at the end of the line, the how below."""
    if not advice:
        return f"no pool holds {percent(at_least)} of its ports or more: nothing to do"
    blocks = [_advice_block(reading, options) for reading, options in advice]
    return "\n\n".join(blocks + ([f"and {left_out:,} more pools near their limit"] if left_out else []))


def _advice_block(reading: Reading, options: "Sequence[Option]") -> str:
    left = headroom_text(reading.headroom_min, reading.headroom_max)
    by = f", held by {reading.owner}" if reading.owner else ""
    head = f"{arrow(reading.pool)} holds {reading.held:,} of {reading.capacity:,} ports, {left} left{by}"
    lines = [head]
    for number, option in enumerate(options, 1):
        gain = f"+ {option.gain:,}" if option.gain else ""
        lines.append(f"{number:>3}. {option.title:<76} {gain:>9}".rstrip())
        lines += [f"       {line}" for line in option.how]
    return "\n".join(lines)
