"""What was held before a pool was half full: little of very many. In memory, bounded.

A burst is over before enough readings of a half-full pool have come, so a past begins with what came just before. Whole
reports are kept as they came, a host's in one list: most pools that fill a little are never half full, and a fleet has
hundreds of thousands of them.
"""

from collections import OrderedDict, deque
from itertools import chain
from typing import Final

from collector.alerts.observe import Filling
from shared.model import Pool

KEPT: Final = 8
"""Readings of a pool on its way to half full, or waiting for its memory; and reports of a host."""
MOST_POOLS: Final = 50_000
MOST_BYTES: Final = 64 * 1024 * 1024
"""Of the reports of all hosts together; ten thousand of fifty pools have half of that."""
_ENTRY_BYTES: Final = 300
"""What a report takes beside its numbers, thereabouts."""
Key = tuple[str, Pool]
"""(host, pool)."""


class Early:
    """Readings one by one, and reports of hosts that are calm. Whoever has been silent longest is forgotten first."""

    def __init__(self) -> None:
        self._readings: OrderedDict[Key, deque[tuple[float, int]]] = OrderedDict()
        self._reports: OrderedDict[str, deque[tuple[float, Filling]]] = OrderedDict()
        self._size = 0

    def add(self, key: Key, at_s: float, held: int) -> None:
        """Remember a reading of one pool."""
        mine = self._readings.pop(key, None)
        self._readings[key] = mine = deque(maxlen=KEPT) if mine is None else mine
        mine.append((at_s, held))
        if len(self._readings) > MOST_POOLS:
            self._readings.popitem(last=False)

    def add_report(self, host: str, at_s: float, filling: Filling) -> None:
        """Remember a report of which no pool was asked about by itself."""
        mine = self._reports.pop(host, None)
        self._reports[host] = mine = deque() if mine is None else mine
        mine.append((at_s, filling))
        self._size += _size_of(filling)
        if len(mine) > KEPT:
            self._size -= _size_of(mine.popleft()[1])
        while self._size > MOST_BYTES:
            _, oldest = self._reports.popitem(last=False)
            self._size -= sum(_size_of(one) for _, one in oldest)

    def take(self, key: Key) -> list[tuple[float, int]]:
        """The latest readings of the pool (when in s, ports held), oldest first; single ones are forgotten."""
        host, pool = key
        told = ((at_s, one.held_by(pool)) for at_s, one in self._reports.get(host, ()))
        seen = sorted(chain(self._readings.pop(key, ()), ((at_s, held) for at_s, held in told if held is not None)))
        return seen[-KEPT:]


def _size_of(one: Filling) -> int:
    """Bytes that are kept of it, thereabouts."""
    return _ENTRY_BYTES + len(one.held) + len(one.capacity)
