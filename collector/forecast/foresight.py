"""The pasts of all pools that are worth a forecast, fed reading by reading. In memory, bounded.

Most pools are nearly empty for ever, so a past is made only once a pool is half full; what came just before is kept in
a short list until then, because a burst is over before enough readings of a half-full pool have come.
"""

import math
from collections import OrderedDict, deque
from typing import Final

from collector.alerts.observe import Forecast as Foretold
from collector.forecast.judge import USAGE_FLOOR, Forecast, Unforeseen, forecast
from collector.forecast.past import Past
from shared.model import Pool, Reading

MOST_POOLS: Final = 5_000
"""Some 25 KiB each. Where more pools than that are half full, those that have been silent longest are forgotten."""
MOST_EARLY: Final = 50_000
EARLY: Final = 8
"""Readings kept of a pool on its way to half full."""
Key = tuple[str, Pool]
NEVER: Final = Foretold(math.inf, 0.0)


class Foresight:
    """Answers when a pool will be spent, by all the readings it was asked about before."""

    def __init__(self) -> None:
        self._pasts: OrderedDict[Key, Past] = OrderedDict()
        self._early: OrderedDict[Key, deque[tuple[float, int]]] = OrderedDict()

    def __call__(self, host: str, reading: Reading, now_ms: int) -> Foretold | None:
        """What is foretold of the pool, its reading of `now_ms` included; None: unknown."""
        key, now_s = (host, reading.pool), now_ms / 1000
        past = self._pasts.get(key)
        if past is None and reading.held < USAGE_FLOOR * reading.capacity:
            self._note_early(key, now_s, reading.held)
            return NEVER
        past = past or self._past_of(key)
        self._pasts.move_to_end(key)
        past.add(now_s, reading.held)
        return _told(forecast(past, reading.held, reading.capacity))

    def _note_early(self, key: Key, now_s: float, held: int) -> None:
        early = self._early.setdefault(key, deque(maxlen=EARLY))
        early.append((now_s, held))
        self._early.move_to_end(key)
        if len(self._early) > MOST_EARLY:
            self._early.popitem(last=False)

    def _past_of(self, key: Key) -> Past:
        past = self._pasts[key] = Past()
        for at_s, held in self._early.pop(key, ()):
            past.add(at_s, held)
        if len(self._pasts) > MOST_POOLS:
            self._pasts.popitem(last=False)
        return past


def _told(found: Forecast | Unforeseen) -> Foretold | None:
    """A pool that does not rise is never spent, which resolves what was told; every other doubt stays a doubt."""
    if isinstance(found, Forecast):
        return Foretold(found.s, found.rate)
    return NEVER if found in (Unforeseen.NOT_RISING, Unforeseen.LITTLE_USED) else None
