"""Pools past the knee: no port left at an even offset, so that connect() takes some 100 times longer. The edge.

connect() walks the ports at even offsets from the range's start first, and those at odd offsets only when it found none
(inet_hashtables.c, __inet_hash_connect). A pool that holds fewer ports than there are even ones has one left, and one
that holds every port has none: that is known without a question. Between the two, ports are counted: now and then, in
one more dump, of the sockets towards these pools' remote ports alone.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from socket import ntohs

from agent.netlink.records import rows
from agent.netlink.request import both_families, local_port_in, remote_port_in
from agent.netlink.sock_diag import SockDiag
from agent.tally import CONNECTED_STATES, Held, Knowledge, pool_of
from shared.model import Pool
from shared.reuse import TIME_WAIT_MS, may_reuse, old_enough_ms
from shared.tcp import State

EVERY_S = 30.0
"""How long what was counted stands in for what is."""
MOST_SOCKETS = 150_000
"""So many one look reads, at 1.5 µs each with the kernel's share: the fullest pools first, the others wait."""
MOST_POOLS = 100


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
        even, all_for_certain = free_even(not_lent(known)), known.capacity + known.overlap
        suspects = {pool for pool, sockets in sums.items() if sockets + known.unproven >= even}
        spent = {
            pool for pool in suspects if not even or sums[pool] - held[pool].get(State.TIME_WAIT, 0) >= all_for_certain
        }
        unsure = sorted(suspects - spent, key=lambda pool: -sums[pool])
        if unsure and now_s - self._counted_at_s >= EVERY_S:
            self._counted, self._counted_at_s = count(diag, affordable(unsure, sums), known), now_s
        return {pool: self._counted.get(pool) for pool in unsure} | dict.fromkeys(spent, True)


def affordable(pools: Iterable[Pool], sums: Mapping[Pool, int]) -> list[Pool]:
    """The first of `pools`, as many as one look may read; one at least.

    `sums` are the sockets of every pool: a look reads all that go to the remote ports of those wanted.
    """
    towards: Counter[int] = Counter()
    for pool, sockets in sums.items():
        towards[pool.peer_port] += sockets
    chosen: list[Pool] = []
    ports: set[int] = set()
    for pool in pools:
        ports.add(pool.peer_port)
        if chosen and (sum(towards[port] for port in ports) > MOST_SOCKETS or len(chosen) == MOST_POOLS):
            break
        chosen.append(pool)
    return chosen


def count(diag: SockDiag, pools: Collection[Pool], known: Knowledge) -> dict[Pool, bool | None]:
    """Whether each of these pools is past the knee. Raises DumpError."""
    marks = Marks(pools, known)
    towards = remote_port_in({pool.peer_port for pool in pools}, local_port_in([known.settings.port_range]))
    for buffer in diag.dump(both_families(CONNECTED_STATES, towards)):
        marks.add(buffer)
    return {pool: is_past(free_even(lent), known.unproven) for pool, lent in marks.by_pool.items()}


def is_past(free: int, unproven: int) -> bool | None:
    """Whether a pool with so many free even ports is; None where it may be that `unproven` ones are blocked."""
    if not free:
        return True
    return False if free > unproven else None


def not_lent(known: Knowledge) -> bytearray:
    """A byte for each port of the range, 1 where no connect() may have it."""
    port_range = known.settings.port_range
    marks = bytearray(len(port_range))
    for port in known.blocked | known.settings.reserved:
        if port in port_range:
            marks[port - port_range.low] = 1
    return marks


def free_even(marks: bytearray) -> int:
    """How many ports at even offsets are not marked."""
    return marks[::2].count(0)


class Marks:
    """For each pool a byte for each port of the range, 1 where connect() cannot have it."""

    def __init__(self, pools: Iterable[Pool], known: Knowledge) -> None:
        blocked = not_lent(known)
        self.by_pool = {pool: bytearray(blocked) for pool in pools}
        self._netns = next(iter(self.by_pool)).netns
        self._settings = known.settings
        self._by_key: dict[tuple[int, bytes], tuple[bytearray | None, bool]] = {}

    def add(self, buffer: memoryview) -> None:
        """Mark the port of every record of a buffer of whole messages, but for TIME_WAITs that connect() recycles."""
        time_wait, low = int(State.TIME_WAIT), self._settings.port_range.low
        youngest_left_ms = TIME_WAIT_MS - old_enough_ms(self._settings)
        for family, state, port, key, _ifindex, left_ms in rows(buffer):
            marks, recycles = self._by_key.get((family, key)) or self._meet(family, key)
            if marks is None:
                continue
            if recycles and state == time_wait and left_ms <= youngest_left_ms:
                continue
            marks[ntohs(port) - low] = 1

    def _meet(self, family: int, key: bytes) -> tuple[bytearray | None, bool]:
        """The marks of a key's pool, none if it is not wanted; whether its TIME_WAITs may be recycled."""
        pool = pool_of(family, key, self._netns)
        found = self.by_pool.get(pool), may_reuse(pool.local, pool.peer, self._settings)
        self._by_key[family, key] = found
        return found
