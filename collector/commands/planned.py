"""The answer of `plan` as a table and as lines for a person. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from collector.capacity.words import NEEDS, Row, cost_words, date, due_date, needs_words
from collector.commands.table import pool_of

COLUMNS: Final = ("peak", "capacity", "growth_per_day", "page_on", "full_on", "projected", "needs", "trend")
METAVARS: Final = {
    "horizon": "DAYS",
    "add_backends": "K",
    "add_addresses": "K",
    "range": "LOW-HIGH",
    "peer": "PEER",
}
MOST_SUMMED: Final = 5
"""Pools whose sums a person is shown; --json has all."""


def rows(document: Mapping[str, Any]) -> Sequence[Row]:
    """A row a pool: what becomes of it if nothing is done, and, where a change was asked about, what then."""
    return [_row(item) for item in document["items"]]


def below(document: Mapping[str, Any]) -> str:
    """The cost of doing nothing, the sums, the change, the range role by role, and what is not known."""
    parts = [cost_words("doing nothing", document["horizon_days"], document["cost"])]
    if document["cost_what_if"]:
        parts.append(cost_words("with the change", document["horizon_days"], document["cost_what_if"]))
    parts.append(_scope(document))
    parts += ["\n".join(_sums(item)) for item in document["items"][:MOST_SUMMED]]
    parts += ["\n".join(_widening(one)) for one in document["widening"] or ()]
    if document["left_out"]:
        parts.append(f"nothing was ever read of: {', '.join(document['left_out'])}")
    return "\n\n".join(parts)


def _row(item: Row) -> dict[str, Any]:
    seen, then = item["outlook"], item["what_if"]
    names = ("host", "role", "netns", "kind", "local_ip", "peer_ip", "peer_port", "capacity", "page_share")
    row = {name: item[name] for name in names}
    row |= {f"{name}_now": item[name] for name in ("backends", "sources", "hosts")}
    row |= {
        "trend": seen["trend"],
        "peak": seen["peak"],
        "growth_per_day": item["growth"]["per_day"] or None,
        "page_on": due_date(seen["page"]),
        "full_on": due_date(seen["full"]),
        "projected": seen["projected"],
        "refused": seen["refused"],
        "needs": needs_words(seen),
    }
    row |= {f"{name}_needed": seen["needs"][name] for name in NEEDS}
    if then:
        row |= {
            "then_page_on": due_date(then["page"]),
            "then_full_on": due_date(then["full"]),
            "then_refused": then["refused"],
        }
    return row


def _scope(document: Row) -> str:
    """Of which pools this is told, and of how many it is not."""
    looked_at, passed_over = document["looked_at"], document["passed_over"]
    text = f"looked at {looked_at:,} pools, the fullest of the last week and the fastest climbers of four"
    if len(document["items"]) < looked_at:
        text += f"; the {len(document['items']):,} above come first (--limit)"
    if passed_over:
        text += (
            f"; {passed_over:,} others are less full and climb less, and were not looked at (--host, --role, --peer)"
        )
    return text


def _sums(item: Row) -> Iterator[str]:
    yield f"{item['host']}: {pool_of(item)}"
    yield from (f"  {line}" for line in item["outlook"]["sums"])
    if item["what_if"]:
        yield from (f"  then: {line}" for line in item["what_if"]["sums"])


def _widening(one: Row) -> Iterator[str]:
    yield f"role {one['role'] or '(none)'}, {one['hosts']:,} hosts: {one['verdict']}. {one['why']}"
    most = "at most " if one["unknown"] else ""
    yield f"  {one['capacity_before']:,} ports now, {most}{one['capacity_after']:,} then"
    if one["better_range"] and one["sysctl"]:
        yield f"  its size is odd, so each connect() leaves out a port: --range {one['better_range']} loses none"
    if one["in_the_way"]:
        yield f"  wanted there: {one['in_the_way']}"
    if one["remembered_since_ms"] is not None:
        yield f"  those that tell remember since {date(one['remembered_since_ms'])}"
    yield from (f"  {line}" for line in one["sysctl"])
    if one["unknown"] and one["sysctl"]:
        yield "  these lines reserve only what is known: not safe to set yet"
