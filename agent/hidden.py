"""Binders that no list of the kernel shows: a few probes look for them, a sweep finds them where there are any.

bind(ip, 0) before connect(), children of a closed listener and what explicit binders leave behind block their ports for
every destination, and nothing but the bucket itself tells (agent.probe). The edge; what to ask for is decided in
agent.buckets.
"""

import random
from dataclasses import dataclass, field

from agent.buckets import Buckets
from agent.probe import ProbeUnavailable, probe
from shared.ports import HIGHEST_PORT, PortSettings

SCOUTS = 256
"""Ports asked for at random where nothing is suspected: one binder in a hundred ports is found nine times in ten."""
PROBES_PER_S = 200.0
"""How fast a running agent sweeps: the whole default range in less than three minutes, at the cost that
docs/performance.md has for a probe."""
MOST_A_SAMPLE = 2_000
"""And at most so many at a time."""


@dataclass(slots=True)
class HiddenBinders:
    """What is known of the buckets of one network namespace. Only for threads that are in it."""

    at_once: bool = False
    """Sweep in one go, for a command that samples once; else thinly, sample by sample."""
    buckets: Buckets = field(default_factory=Buckets)
    may_probe: bool = True
    """Whether anything may be asked for at all: an operator may forbid it."""
    found: bool = False
    """Whether there are any: then nothing is taken for granted."""
    why_not: str = ""
    """Why nothing can be asked for here; empty where it can."""
    _last_sweep_s: float | None = None
    _last_scouting_s: float | None = None

    def look(self, settings: PortSettings, visible: frozenset[int], now_s: float, *, hot: bool) -> None:
        """Ask for the ports that are worth it now. `visible` binders are known without; `hot`: a pool runs short."""
        if not self.may_probe:
            return
        try:
            if not (hot or self.found):
                self._scout(settings, visible, now_s)
            if hot or self.found:
                self._sweep(settings, visible, now_s)
        except ProbeUnavailable as error:
            self.why_not = str(error)

    def shut(self, now_s: float) -> frozenset[int]:
        """Ports found blocked, as far as that still counts."""
        return self.buckets.shut(now_s)

    def unproven(self, settings: PortSettings, now_s: float) -> int:
        """How many ports of the range nobody has asked for, where some were found blocked that should be open."""
        if not self.found:
            return 0
        known = self.buckets.answers(now_s)
        return sum(port not in known and port not in settings.reserved for port in settings.port_range.ports)

    def _scout(self, settings: PortSettings, visible: frozenset[int], now_s: float) -> None:
        if self._last_scouting_s is not None and now_s - self._last_scouting_s < SCOUTS / PROBES_PER_S:
            return
        self._last_scouting_s = now_s
        ports = _askable(settings, visible)
        self._ask(random.sample(ports, min(SCOUTS, len(ports))), now_s)

    def _sweep(self, settings: PortSettings, visible: frozenset[int], now_s: float) -> None:
        elapsed_s = 1.0 if self._last_sweep_s is None else now_s - self._last_sweep_s
        most = HIGHEST_PORT if self.at_once else min(MOST_A_SAMPLE, int(PROBES_PER_S * elapsed_s))
        if most:
            self._last_sweep_s = now_s
            self._ask(self.buckets.due(_askable(settings, visible), most), now_s)

    def _ask(self, ports: list[int], now_s: float) -> None:
        self.buckets.learn(probe(ports), now_s)
        self.found = bool(self.buckets.shut(now_s))


def _askable(settings: PortSettings, visible: frozenset[int]) -> list[int]:
    """The ports of the range of which nothing is known without a probe."""
    return [port for port in settings.port_range.ports if port not in settings.reserved and port not in visible]
