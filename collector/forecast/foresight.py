"""The pasts of all pools that are worth a forecast, fed reading by reading. In memory, bounded.

Most pools are nearly empty for ever, so a past is made only once a pool is half full; what came just before is kept
until then (collector.forecast.early).

A past begins with what history holds of the last week, or every tide would be news after a restart. Who reads history
asks which pools are `wanted` and has each `learn`; until then nothing is foretold of a pool.
"""

import math
from collections import OrderedDict
from collections.abc import Sequence
from itertools import islice
from typing import Final

from collector.alerts.observe import Filling
from collector.alerts.observe import Forecast as Foretold
from collector.forecast.early import Early, Key
from collector.forecast.judge import USAGE_FLOOR, Forecast, Unforeseen, forecast
from collector.forecast.past import Past
from shared.model import Pool, Reading

MOST_POOLS: Final = 5_000
"""Some 25 KiB each. Where more pools than that are half full, those that have been silent longest are forgotten."""
MINUTE_S: Final = 60.0
NEVER: Final = Foretold(math.inf, 0.0)
SPENT: Final = Foretold(0.0, 0.0)


class Foresight:
    """Answers when a pool will be spent, by all the readings it was asked about before."""

    def __init__(self) -> None:
        self._pasts: OrderedDict[Key, Past] = OrderedDict()
        self._pools_of: dict[str, set[Pool]] = {}
        """Of which pools of a host there is a past."""
        self._early = Early()
        self._wanted: OrderedDict[Key, None] = OrderedDict()

    def __call__(self, host: str, reading: Reading, now_ms: int) -> Foretold | None:
        """What is foretold of the pool, its reading of `now_ms` included; None: unknown."""
        key = host, reading.pool
        past = self._noted(key, reading.held, now_ms)
        if past is None:
            return self._without_past(key, reading)
        return _told(forecast(past, reading.held, reading.capacity))

    def note(self, host: str, filling: Filling, now_ms: int) -> None:
        """Remember a report of which nothing is foretold: none of its pools is half full."""
        self._early.add_report(host, now_ms / 1000, filling)
        for pool in self._pools_of.get(host, ()):
            held = filling.held_by(pool)
            if held is not None:
                self._noted((host, pool), held, now_ms)

    def wanted(self, limit: int) -> list[Key]:
        """At most `limit` half-full pools without a memory, those that have waited longest first."""
        return list(islice(self._wanted, limit))

    def defer(self, key: Key) -> None:
        """The memory of this pool could not be read: the others come first."""
        if key in self._wanted:
            self._wanted.move_to_end(key)

    def learn(self, key: Key, minutes: Sequence[tuple[float, int]]) -> None:
        """Begin the pool's past: (when in s, most ports held) of minutes or hours, oldest first; empty: none known.

        A minute that reaches into what was seen here is left out: its peak may be what is just being seen.
        """
        self._wanted.pop(key, None)
        seen = self._early.take(key)
        begin_s = seen[0][0] if seen else math.inf
        past = self._pasts[key] = Past()
        self._pools_of.setdefault(key[0], set()).add(key[1])
        for at_s, held in minutes:
            if at_s + MINUTE_S <= begin_s:
                past.add(at_s + MINUTE_S / 2, held)
        for at_s, held in seen:
            past.add(at_s, held)
        if len(self._pasts) > MOST_POOLS:
            self._drop(self._pasts.popitem(last=False)[0])

    def _drop(self, key: Key) -> None:
        host, pool = key
        self._pools_of[host].discard(pool)
        if not self._pools_of[host]:
            del self._pools_of[host]

    def _without_past(self, key: Key, reading: Reading) -> Foretold | None:
        if reading.held < USAGE_FLOOR * reading.capacity:
            return NEVER
        self._wanted.setdefault(key)
        if len(self._wanted) > MOST_POOLS:
            self._wanted.popitem(last=False)
        return SPENT if reading.held >= reading.capacity else None

    def _noted(self, key: Key, held: int, now_ms: int) -> Past | None:
        past = self._pasts.get(key)
        if past is None:
            self._early.add(key, now_ms / 1000, held)
        else:
            self._pasts.move_to_end(key)
            past.add(now_ms / 1000, held)
        return past


def _told(found: Forecast | Unforeseen) -> Foretold | None:
    """A pool that does not rise is never spent, which resolves what was told; every other doubt stays a doubt."""
    if isinstance(found, Forecast):
        return Foretold(found.s, found.rate)
    return NEVER if found in (Unforeseen.NOT_RISING, Unforeseen.LITTLE_USED) else None
