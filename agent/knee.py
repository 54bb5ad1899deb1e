"""Pools past the knee: no port left at an even offset, so that connect() takes some 100 times longer. The edge.

connect() walks the ports at even offsets from the range's start first, and those at odd offsets only when it found none
(inet_hashtables.c, __inet_hash_connect). A pool that holds fewer ports than there are even ones has one left, and one
that holds every port has none: that is known without a question. Between the two, ports are counted: now and then, in
one more dump, of the sockets towards these pools' remote ports alone.
"""

import struct
import sys
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from functools import lru_cache

from agent.netlink.messages import RECORD_BYTES, records
from agent.netlink.request import both_families, local_port_in, remote_port_in
from agent.netlink.sock_diag import SockDiag
from agent.reuse import TIME_WAIT_MS, may_reuse, old_enough_ms
from agent.tally import CONNECTED_STATES, Held, Knowledge, pool_of
from shared.model import Pool
from shared.tcp import State

EVERY_S = 30.0
"""How long what was counted stands in for what is."""
MOST_PORTS = 150_000
"""So many ports one look reads, at 1.7 µs each with the kernel's share: the fullest pools first, the others wait."""
MOST_POOLS = 100

Ports = defaultdict[tuple[int, bytes], set[int]]
"""(family, remote port + local address + remote address as they stand in a record) → local ports."""


@dataclass(slots=True)
class Knees:
    """What was counted in one network namespace, remembered for a while."""

    _counted: dict[Pool, bool | None] = field(default_factory=dict)
    _counted_at_s: float = -1e9

    def look(self, diag: SockDiag, held: Held, known: Knowledge, now_s: float) -> dict[Pool, bool | None]:
        """Whether each pool is past it that may be; None where that was not counted. All others are not.

        `now_s` is monotonic. Raises DumpError.
        """
        sums = {pool: sum(states.values()) for pool, states in held.items()}
        even, all_but_certainly = even_count(known), known.capacity + known.overlap
        suspects = {pool for pool, ports in sums.items() if ports + known.unproven >= even}
        spent = {
            pool
            for pool in suspects
            if not even or sums[pool] - held[pool].get(State.TIME_WAIT, 0) >= all_but_certainly
        }
        unsure = sorted(suspects - spent, key=lambda pool: -sums[pool])
        if unsure and now_s - self._counted_at_s >= EVERY_S:
            self._counted = self._count(diag, _affordable(unsure, sums), known)
            self._counted_at_s = now_s
        return {pool: self._counted.get(pool) for pool in unsure} | dict.fromkeys(spent, True)

    def _count(self, diag: SockDiag, pools: Collection[Pool], known: Knowledge) -> dict[Pool, bool | None]:
        settings, even, netns = known.settings, even_ports(known), next(iter(pools)).netns
        young, old = Ports(set), Ports(set)
        wanted = remote_port_in({pool.peer_port for pool in pools}, local_port_in([settings.port_range]))
        for buffer in diag.dump(both_families(CONNECTED_STATES, wanted)):
            gather(buffer, young, old, old_enough_ms(settings))
        taken: defaultdict[Pool, set[int]] = defaultdict(set)
        for ports, may_be_free in ((young, False), (old, True)):
            for (family, key), its in ports.items():
                pool = pool_of(family, key, netns)
                if not (may_be_free and may_reuse(pool.local, pool.peer, settings)):
                    taken[pool] |= its
        return {pool: is_past(len(even - taken[pool]), known.unproven) for pool in pools}


def _affordable(pools: Iterable[Pool], sums: dict[Pool, int]) -> list[Pool]:
    """The first of them, as many as one look may read; one at least."""
    chosen: list[Pool] = []
    ports = 0
    for pool in pools:
        ports += sums[pool]
        if chosen and (ports > MOST_PORTS or len(chosen) == MOST_POOLS):
            break
        chosen.append(pool)
    return chosen


def even_ports(known: Knowledge) -> set[int]:
    """The ports that connect() looks at first and may lend."""
    port_range = known.settings.port_range
    return set(range(port_range.low, port_range.high + 1, 2)) - known.blocked - known.settings.reserved


def even_count(known: Knowledge) -> int:
    """How many that are, without making a set of them for every sample."""
    port_range = known.settings.port_range
    taken = known.blocked | known.settings.reserved
    lost = sum(port in port_range and (port - port_range.low) % 2 == 0 for port in taken)
    return len(range(port_range.low, port_range.high + 1, 2)) - lost


def is_past(free: int, unproven: int) -> bool | None:
    """Whether a pool with so many free even ports is; None where it may be that `unproven` ones are blocked."""
    if not free:
        return True
    return False if free > unproven else None


@lru_cache
def _layout(length: int) -> struct.Struct:
    """Family, state, local port, key, what the timer has left (see agent.netlink.records; this one in host order)."""
    return struct.Struct(f">16x B B 2x H 34s 12x 4s {length - 72}x")


def gather(buffer: memoryview, young: Ports, old: Ports, old_ms: int) -> None:
    """Add the local port of every record of a buffer; that of a TIME_WAIT begun `old_ms` ago to `old`."""
    time_wait, order = int(State.TIME_WAIT), sys.byteorder
    for offsets in records(buffer):
        if isinstance(offsets, range):
            rows = _layout(offsets.step).iter_unpack(buffer[offsets.start : offsets.stop])
        else:
            rows = (_layout(RECORD_BYTES).unpack_from(buffer, at) for at in offsets)
        for family, state, port, key, left_ms in rows:
            is_old = state == time_wait and TIME_WAIT_MS - int.from_bytes(left_ms, order) >= old_ms
            (old if is_old else young)[family, key].add(port)
