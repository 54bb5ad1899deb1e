"""Sockets that bound their port by number, remembered so that the TIME_WAITs they leave are known for theirs. Pure.

Such a TIME_WAIT keeps its port blocked for every destination, a minute long, and no list tells it from others: only its
cookie, which is that of the socket (inet_twsk_alloc). So whoever lived at one look is known at the next.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import islice

from shared.ports import PortRange

MOST = 4_096
"""Cookies remembered, of the living and of those gone each; the TIME_WAITs of more are left to the probes."""


@dataclass(slots=True)
class Lingering:
    """Cookie → port, as of the latest look at one namespace."""

    _alive: dict[int, int] = field(default_factory=dict)
    _gone: dict[int, int] = field(default_factory=dict)

    def meet(self, alive: Mapping[int, int]) -> frozenset[int]:
        """Take in which explicit binders there are now; answers the ports on which others may linger."""
        left = {cookie: port for cookie, port in {**self._gone, **self._alive}.items() if cookie not in alive}
        self._gone = dict(islice(left.items(), max(0, len(left) - MOST), None))
        self._alive = dict(islice(alive.items(), MOST))
        return frozenset(self._gone.values())

    def settle(self, found: Iterable[int]) -> frozenset[int]:
        """Keep those whose cookies are among `found`, the TIME_WAITs on these ports; answers the ports they block."""
        cookies = frozenset(found)
        self._gone = {cookie: port for cookie, port in self._gone.items() if cookie in cookies}
        return frozenset(self._gone.values())

    @property
    def is_empty(self) -> bool:
        """Whether nobody lingers."""
        return not self._gone


def stretches(ports: Iterable[int], most: int) -> list[PortRange]:
    """The ports as ranges, neighbours together; past `most` of them the gaps of the last are closed."""
    found: list[PortRange] = []
    for port in sorted(ports):
        if found and (port == found[-1].high + 1 or len(found) == most):
            found[-1] = PortRange(found[-1].low, port)
        else:
            found.append(PortRange(port, port))
    return found
