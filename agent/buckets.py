"""What probes told of a namespace's ports, remembered for a while, and which port to ask for next. Pure.

Nobody is told of a bucket that changes, so an answer ages. Asking costs microseconds a port, so a running agent first
asks for a few at random: where all are open that should be, nobody binds in secret, and it asks no more. Where one is
not, it sweeps the whole range, thinly, and goes on doing so while it finds any.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

REMEMBERED_S = 180.0
"""How long an answer counts: ports change hands at the pace of connections, binders at that of their sockets."""


@dataclass(slots=True)
class Buckets:
    """Port → (whether connect() may take it, when it was asked for), by a monotonic clock."""

    known: dict[int, tuple[bool, float]] = field(default_factory=dict)

    def learn(self, answers: Mapping[int, bool], now_s: float) -> None:
        """Take in what a probe answered at `now_s`, and forget what is too old to count."""
        self.known.update({port: (is_open, now_s) for port, is_open in answers.items()})
        self.known = {port: one for port, one in self.known.items() if now_s - one[1] <= REMEMBERED_S}

    def answers(self, now_s: float) -> dict[int, bool]:
        """What still counts."""
        return {port: is_open for port, (is_open, at_s) in self.known.items() if now_s - at_s <= REMEMBERED_S}

    def shut(self, now_s: float) -> frozenset[int]:
        """Ports that no connect() may take, by what still counts."""
        return frozenset(port for port, is_open in self.answers(now_s).items() if not is_open)

    def due(self, ports: Iterable[int], most: int) -> list[int]:
        """The ports to ask for next: those never asked for, then those asked for longest ago."""
        never = -1.0
        return sorted(ports, key=lambda port: (self.known.get(port, (True, never))[1], port))[:most]
