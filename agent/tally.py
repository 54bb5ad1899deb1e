"""Counting sockets into pools, fast enough for every sample of every host. Pure.

Remote port, local and remote address are 34 contiguous bytes of each record (agent.netlink.records), so one C loop
counts equal (family, state, those bytes) without a Python step a socket. The few distinct keys become readings after.

The count is exact for what every pool holds. Two refinements are left to agent.accounting, which reads sockets one by
one: a TIME_WAIT's age, and binders that the kernel shows only when asked for. Until then the bounds admit both.
"""

import heapq
import struct
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

from agent.model import NetnsId
from agent.netlink.messages import records
from agent.netlink.records import AF_INET, address
from shared.addresses import V6_BYTES
from shared.limits import MAX_POOLS
from shared.model import Kind, Namespace, Pool, Reading, Remainder
from shared.ports import PortSettings
from shared.reuse import TIME_WAIT_MS, mode_allows
from shared.tcp import ALL_STATES, State, state_mask

CONNECTED_STATES = ALL_STATES & ~state_mask(State.LISTEN, State.BOUND_INACTIVE, State.CLOSE)
"""What lives in the table of connections (ehash) and so may hold a port towards one destination."""
POOLS_A_NAMESPACE = 8
"""How many pools fewer a snapshot lists for each further namespace, so that both together fit one body."""

Counts = Counter[tuple[int, int, bytes]]
"""(family, state, remote port + local address + remote address as they stand in a record) → sockets."""
Held = dict[Pool, dict[State, int]]

_FAMILY, _STATE, _KEY, _KEY_END, _EXPIRES_AT = 16, 17, 22, 56, 68
_EXPIRES = struct.Struct("=I")
_V4_COLUMNS = (_STATE, 22, 23, 24, 25, 26, 27, 40, 41, 42, 43)
"""Where the bytes of an IPv4 record stand that tell its pool: state, remote port, local and remote address."""
_LANES = 2
"""Bytes that may differ; of more, a number a record is no cheaper than an object a record."""
_FEW = 4
"""Sockets a key, at the least, for the same reason."""


@lru_cache
def _layout(length: int) -> struct.Struct:
    return struct.Struct(f"={_FAMILY}x B B 4x {_KEY_END - _KEY}s {length - _KEY_END}x")


def count(buffer: memoryview, counts: Counts) -> None:
    """Add every record of a buffer of whole messages. Raises what `messages.records` raises."""
    flat = bytes(buffer)
    for offsets in records(flat):
        if isinstance(offsets, range):
            if not _count_columns(flat, offsets, counts):
                counts.update(_layout(offsets.step).iter_unpack(buffer[offsets.start : offsets.stop]))
        else:
            counts.update([(flat[at + _FAMILY], flat[at + _STATE], flat[at + _KEY : at + _KEY_END]) for at in offsets])


def _count_columns(flat: bytes, offsets: range, counts: Counts) -> bool:
    """Count a stretch of IPv4 records by the few bytes in which they differ; answers whether it could.

    A load balancer's connections share almost every byte of their addresses, so a column a byte, sliced out with a
    step, is mostly one value repeated. The others are laid side by side and counted as one number a record.
    """
    if flat[offsets.start + _FAMILY : offsets.stop : offsets.step].count(AF_INET) != len(offsets):
        return False
    columns = [flat[offsets.start + at : offsets.stop : offsets.step] for at in _V4_COLUMNS]
    varying = [number for number, column in enumerate(columns) if column.count(column[0]) != len(offsets)]
    if len(varying) > _LANES:
        return False
    lanes = bytearray(_LANES * len(offsets))
    for lane, number in enumerate(varying):
        lanes[lane::_LANES] = columns[number]
    found = Counter(memoryview(lanes).cast("H"))
    if len(found) > len(offsets) // _FEW:
        return False
    common = bytearray(column[0] for column in columns)
    for value, sockets in found.items():
        for number, byte in zip(varying, value.to_bytes(_LANES, sys.byteorder), strict=False):
            common[number] = byte
        counts[_v4_key(common)] += sockets
    return True


def _v4_key(columns: bytearray) -> tuple[int, int, bytes]:
    """The key of a record from its _V4_COLUMNS: the rest of an IPv4 record's addresses is zero."""
    port, local, peer = columns[1:3], columns[3:7], columns[7:11]
    return AF_INET, columns[0], bytes(port + local.ljust(V6_BYTES, b"\0") + peer.ljust(V6_BYTES, b"\0"))


def count_aged(buffer: memoryview, counts: Counts, at_least_ms: int) -> None:
    """Add the TIME_WAITs of a buffer that began at least that long ago, by what their timers have left."""
    for offsets in records(buffer):
        for at in offsets:
            if TIME_WAIT_MS - _EXPIRES.unpack_from(buffer, at + _EXPIRES_AT)[0] >= at_least_ms:
                counts[buffer[at + _FAMILY], buffer[at + _STATE], bytes(buffer[at + _KEY : at + _KEY_END])] += 1


def pools(counts: Counts, netns: str) -> Held:
    """Connect pools with their sockets by state; v4-mapped addresses are folded into IPv4's pools."""
    held: Held = {}
    for (family, state, key), sockets in counts.items():
        states = held.setdefault(pool_of(family, key, netns), {})
        states[State(state)] = states.get(State(state), 0) + sockets
    return held


def pool_of(family: int, key: bytes, netns: str) -> Pool:
    """The connect pool of a record's family and key."""
    local, peer = address(family, key[2 : 2 + V6_BYTES]), address(family, key[2 + V6_BYTES :])
    return Pool(netns, Kind.CONNECT, local, peer, int.from_bytes(key[:2], "big"))


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What is known of a namespace besides its sockets, and how far that goes."""

    settings: PortSettings
    blocked: frozenset[int] = frozenset()
    """Ports that something bound; those outside the range or reserved cost nothing more."""
    unproven: int = 0
    """Ports that may be blocked besides: not probed yet, in a namespace where binders hide."""
    overlap: int = 0
    """Most blocked ports that sockets counted as held may stand on: such a port is lost once, not twice."""
    reusable: Mapping[Pool, int] = field(default_factory=dict)
    """TIME_WAITs old enough for connect() to recycle, of the pools whose ages were read."""
    tells_devices: bool = True
    """Whether sockets bound to a device, which hold nothing for those that are not, are known for such."""
    knees: Mapping[Pool, bool | None] = field(default_factory=dict)
    """Whether a pool is past the knee, of those that may be (agent.knee)."""

    @property
    def capacity(self) -> int:
        """Ports a connect pool can lend at all."""
        settings = self.settings
        costly = sum(port in settings.port_range and port not in settings.reserved for port in self.blocked)
        return len(settings.port_range) - len(settings.reserved_in_range) - costly


def reading(pool: Pool, states: Mapping[State, int], known: Knowledge) -> Reading:
    """What a pool holds.

    Where connect() may recycle TIME_WAITs and their ages were not read, all count as held and `headroom_max` hopes for
    all; where they were read, those old enough do not, and `headroom_min` fears that the peer had no timestamps. An odd
    range hides one port from each scan (inet_hashtables.c: `remaining &= ~1`), so the least is one less there.
    """
    settings, capacity = known.settings, known.capacity
    reusable = min(known.reusable.get(pool, 0), states.get(State.TIME_WAIT, 0))
    total = min(sum(states.values()), capacity)
    held = min(sum(states.values()) - reusable, capacity)
    odd = len(settings.port_range) % 2 if len(settings.port_range) > 1 else 0
    recyclable = pool not in known.reusable and mode_allows(pool.local, pool.peer, settings)
    waiting = states.get(State.TIME_WAIT, 0) if recyclable else 0
    return Reading(
        pool,
        held,
        capacity,
        headroom_min=max(0, capacity - total - odd - known.unproven),
        headroom_max=min(capacity, capacity - held + waiting + min(held, known.overlap))
        if known.tells_devices
        else capacity,
        states=_less_time_wait(states, reusable),
        knee=known.knees.get(pool, False),
        recyclable=reusable,
    )


def _less_time_wait(states: Mapping[State, int], reusable: int) -> dict[State, int]:
    left = {state: count - (reusable if state is State.TIME_WAIT else 0) for state, count in states.items()}
    return {state: count for state, count in left.items() if count}


@dataclass(frozen=True, slots=True)
class Summary:
    """One namespace, summed up: its fullest pools one by one, the rest as sums."""

    namespace: Namespace
    readings: tuple[Reading, ...]


def summarise(held: Held, place: NetnsId, known: Knowledge, *, most: int, others: Sequence[Reading] = ()) -> Summary:
    """The `most` fullest connect pools and the rest as a remainder, so that the totals always add up.

    `others` are pools of other kinds: their sockets are counted among the connect pools already.
    """
    settings = known.settings
    readings = [reading(pool, states, known) for pool, states in held.items()]
    listed = heapq.nlargest(most, readings, key=lambda one: (one.held, one.pool))
    everything = sum(sum(one.states.values()) for one in readings)
    rest_held = everything - sum(sum(one.states.values()) for one in listed)
    totals: Counter[State] = Counter()
    for states in held.values():
        totals.update(states)
    namespace = Namespace(
        name=place.name,
        inode=place.inode,
        port_range=settings.port_range,
        reserved=len(settings.reserved_in_range),
        blocked=len(settings.port_range) - len(settings.reserved_in_range) - known.capacity,
        settings=settings.integers,
        totals=dict(totals),
        remainder=Remainder(
            pools=len(readings) - len(listed),
            held=rest_held,
            max_held=listed[-1].held if len(readings) > len(listed) and listed else 0,
        ),
    )
    return Summary(namespace, tuple(sorted([*listed, *others], key=lambda one: (-one.occupancy, one.pool))))


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
