"""Counting sockets into pools, fast enough for every sample of every host. Pure.

Remote port, local and remote address are 34 contiguous bytes of each record (agent.netlink.records), so one C loop
counts equal (family, state, those bytes) without a Python step a socket. The few distinct keys become readings after.

The count is exact for what every pool holds. Two refinements are left to agent.accounting, which reads sockets one by
one: a TIME_WAIT's age, and binders that the kernel shows only when asked for. Until then the bounds admit both.
"""

import heapq
import struct
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from agent.model import NetnsId, PortSettings
from agent.netlink.messages import records
from agent.netlink.records import address
from agent.reuse import may_reuse
from shared.addresses import V6_BYTES
from shared.limits import MAX_POOLS
from shared.model import Kind, Namespace, Pool, Reading, Remainder
from shared.tcp import ALL_STATES, State, state_mask

CONNECTED_STATES = ALL_STATES & ~state_mask(State.LISTEN, State.BOUND_INACTIVE, State.CLOSE)
"""What lives in the table of connections (ehash) and so may hold a port towards one destination."""
POOLS_A_NAMESPACE = 8
"""How many pools fewer a snapshot lists for each further namespace, so that both together fit one body."""

Counts = Counter[tuple[int, int, bytes]]
"""(family, state, remote port + local address + remote address as they stand in a record) → sockets."""
Held = dict[Pool, dict[State, int]]

_FAMILY, _STATE, _KEY, _KEY_END = 16, 17, 22, 56


@lru_cache
def _layout(length: int) -> struct.Struct:
    return struct.Struct(f"={_FAMILY}x B B 4x {_KEY_END - _KEY}s {length - _KEY_END}x")


def count(buffer: memoryview, counts: Counts) -> None:
    """Add every record of a buffer of whole messages. Raises what `messages.records` raises."""
    for offsets in records(buffer):
        if isinstance(offsets, range):
            counts.update(_layout(offsets.step).iter_unpack(buffer[offsets.start : offsets.stop]))
        else:
            counts.update(
                [
                    (buffer[at + _FAMILY], buffer[at + _STATE], bytes(buffer[at + _KEY : at + _KEY_END]))
                    for at in offsets
                ]
            )


def pools(counts: Counts, netns: str) -> Held:
    """Connect pools with their sockets by state; v4-mapped addresses are folded into IPv4's pools."""
    held: Held = {}
    for (family, state, key), sockets in counts.items():
        local = address(family, key[2 : 2 + V6_BYTES])
        peer = address(family, key[2 + V6_BYTES :])
        pool = Pool(netns, Kind.CONNECT, local, peer, int.from_bytes(key[:2], "big"))
        states = held.setdefault(pool, {})
        states[State(state)] = states.get(State(state), 0) + sockets
    return held


def reading(pool: Pool, states: Mapping[State, int], capacity: int, settings: PortSettings) -> Reading:
    """What a pool holds of `capacity` ports.

    `held` counts every TIME_WAIT; where connect() may recycle them, `headroom_max` hopes that it may recycle all.
    An odd range hides one port from each scan (inet_hashtables.c: `remaining &= ~1`), so the least is one less there.
    """
    held = min(sum(states.values()), capacity)
    left = capacity - held
    odd = len(settings.port_range) % 2 if len(settings.port_range) > 1 else 0
    waiting = states.get(State.TIME_WAIT, 0) if may_reuse(pool.local, pool.peer, settings) else 0
    return Reading(pool, held, capacity, max(0, left - odd), min(capacity, left + waiting), dict(states))


@dataclass(frozen=True, slots=True)
class Summary:
    """One namespace, summed up: its fullest pools one by one, the rest as sums."""

    namespace: Namespace
    readings: tuple[Reading, ...]


def summarise(held: Held, place: NetnsId, settings: PortSettings, blocked: Iterable[int], *, most: int) -> Summary:
    """The `most` fullest pools and the rest as a remainder, so that the totals always add up.

    `blocked` are ports that something bound; those outside the range or reserved cost nothing more.
    """
    costly = {port for port in blocked if port in settings.port_range and port not in settings.reserved}
    capacity = len(settings.port_range) - len(settings.reserved_in_range) - len(costly)
    readings = [reading(pool, states, capacity, settings) for pool, states in held.items()]
    listed = heapq.nlargest(most, readings, key=lambda one: (one.held, one.pool))
    rest = [sum(states.values()) for states in held.values()]
    rest_held = sum(rest) - sum(sum(one.states.values()) for one in listed)
    totals: Counter[State] = Counter()
    for states in held.values():
        totals.update(states)
    namespace = Namespace(
        name=place.name,
        inode=place.inode,
        port_range=settings.port_range,
        reserved=len(settings.reserved_in_range),
        blocked=len(costly),
        settings=settings.integers,
        totals=dict(totals),
        remainder=Remainder(
            pools=len(readings) - len(listed),
            held=rest_held,
            max_held=listed[-1].held if len(readings) > len(listed) and listed else 0,
        ),
    )
    return Summary(namespace, tuple(listed))


def within_limits(summaries: Sequence[Summary]) -> list[Summary]:
    """The summaries of one host with no more pools listed than a snapshot may carry, the fullest of all namespaces.

    The others go to the remainder of their namespace, so that every total stays the same.
    """
    most = max(0, MAX_POOLS - POOLS_A_NAMESPACE * len(summaries))
    ranked = sorted(((one.occupancy, one.pool) for each in summaries for one in each.readings), reverse=True)
    if len(ranked) <= most:
        return list(summaries)
    kept = {pool for _occupancy, pool in ranked[:most]}
    return [_keeping(kept, summary) for summary in summaries]


def _keeping(kept: set[Pool], summary: Summary) -> Summary:
    dropped = [one for one in summary.readings if one.pool not in kept]
    rest = summary.namespace.remainder
    remainder = Remainder(
        pools=rest.pools + len(dropped),
        held=rest.held + sum(sum(one.states.values()) for one in dropped),
        max_held=max([rest.max_held, *(one.held for one in dropped)]),
    )
    listed = tuple(one for one in summary.readings if one.pool in kept)
    return Summary(replace(summary.namespace, remainder=remainder), listed)
