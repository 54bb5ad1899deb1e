"""What happened when in a drill, and whether people were told in time. Pure but for its own memory.

Times are ms since the epoch: crossings and readings by this host's clock, alerts and notices by the collector's.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

PAGE: Final = "page"
LOG: Final = "log"
"""The channel that every collector has: a line in its own log tells nobody."""


@dataclass(slots=True, kw_only=True)
class Mark:
    """One rule, the ports that cross its level, and when each step came; None: not yet."""

    rule: str
    severity: str
    level: float
    hold_s: float
    needed: int
    crossed_ms: int | None = None
    had_ms: int | None = None
    """When the collector was first seen to have a reading at the level."""
    fired_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """One notice to one channel; `at_ms` is None while it is owed or after it was given up."""

    severity: str
    channel: str
    state: str
    outcome: str
    at_ms: int | None
    detail: str


def marks_of(rules: Sequence[Mapping[str, Any]], capacity: int, most: int) -> list[Mark]:
    """The rules of GET /v1/rules that a connect pool of any host crosses when it holds `most` ports, lowest first.

    Rules with filters other than the kind of pool are left out: whether they mean this host is the collector's to say.
    """
    found = [
        Mark(
            rule=rule["name"],
            severity=rule["severity"],
            level=rule["raise_at"],
            hold_s=rule["hold_s"],
            needed=max(1, math.ceil(rule["raise_at"] * capacity - 1e-9)),
        )
        for rule in rules
        if rule["subject"] == "pool" and rule["condition"] == "occupancy" and _means_anybody(rule["where"])
    ]
    return sorted((mark for mark in found if mark.needed <= most), key=lambda mark: mark.needed)


def _means_anybody(where: Mapping[str, Any]) -> bool:
    others = any(value for key, value in where.items() if key != "kind")
    return not others and (not where.get("kind") or "connect" in where["kind"])


@dataclass(slots=True, kw_only=True)
class Timeline:
    """Fed with what the namespace and the collector say. `peer` is the pool's IP:PORT, which no other pool has."""

    host: str
    peer: str
    marks: list[Mark]
    within_s: float
    deliveries: list[Delivery] = field(default_factory=list)
    has_reading: bool = False

    def crossed(self, held: int, at_ms: int) -> None:
        """So many ports are held since then."""
        for mark in self.marks:
            if mark.crossed_ms is None and held >= mark.needed:
                mark.crossed_ms = at_ms

    def look(self, pools: Sequence[Any], alerts: Sequence[Any], notices: Sequence[Any], now_ms: int) -> None:
        """What GET /v1/pools, /v1/alerts and /v1/notices answered at `now_ms`."""
        held = [one["held"] for one in pools if self._is_ours(one)]
        self.has_reading = self.has_reading or bool(held)
        firing = {one["rule"]: one["firing_since_ms"] for one in alerts if self._is_ours(one)}
        for mark in self.marks:
            if mark.had_ms is None and held and max(held) >= mark.needed:
                mark.had_ms = now_ms
            if mark.fired_ms is None:
                mark.fired_ms = firing.get(mark.rule)
        ours = [one for one in reversed(notices) if f"{self.peer} " in f"{one['summary']} "]
        self.deliveries = [_delivery(one) for one in ours if one["channel"] != LOG]

    def _is_ours(self, one: Mapping[str, Any]) -> bool:
        ip, _, port = self.peer.rpartition(":")
        return (one["host"], one["peer_ip"], one["peer_port"]) == (self.host, ip, int(port))

    @property
    def owed_severity(self) -> str:
        """The severity that must be told; a page hides the plan of the same pool."""
        return PAGE if any(mark.severity == PAGE for mark in self.marks) else self.marks[-1].severity

    def told_ms(self, severity: str) -> int | None:
        """When the last of its channels had the notice of this severity; None: not all of them, or there is none."""
        firsts: dict[str, int | None] = {}
        for one in self.deliveries:
            if one.severity == severity and one.state == "firing":
                firsts.setdefault(one.channel, one.at_ms)
        times = [at_ms for at_ms in firsts.values() if at_ms is not None]
        return max(times) if times and len(times) == len(firsts) else None

    @property
    def is_told(self) -> bool:
        """Whether all that is due while the pool is full has come."""
        return all(mark.fired_ms is not None for mark in self.marks) and self.told_ms(self.owed_severity) is not None

    @property
    def is_resolved(self) -> bool:
        """Whether every channel that had a notice had its end, too."""
        had = {(one.severity, one.channel) for one in self.deliveries if one.state == "firing" and one.at_ms}
        ended = {(one.severity, one.channel) for one in self.deliveries if one.state == "resolved" and one.at_ms}
        return had <= ended

    def late_s(self, mark: Mark) -> float | None:
        """From the moment the notice was due, crossing and hold, to the last channel; None where nobody was told."""
        told_ms = self.told_ms(mark.severity)
        return None if told_ms is None or mark.crossed_ms is None else (told_ms - mark.crossed_ms) / 1000 - mark.hold_s

    @property
    def is_in_time(self) -> bool:
        """Told within `within_s` of each crossing of the severity that must be told, and resolved."""
        owed = [self.late_s(mark) for mark in self.marks if mark.severity == self.owed_severity]
        return self.is_told and self.is_resolved and all(late is not None and late <= self.within_s for late in owed)


def _delivery(notice: Mapping[str, Any]) -> Delivery:
    attempts = notice["attempts"]
    at_ms = next((one["at_ms"] for one in attempts if one["succeeded"]), None)
    detail = attempts[-1]["detail"] if attempts else ""
    names = notice["severity"], notice["channel"], notice["state"], notice["outcome"]
    return Delivery(*names, at_ms, detail)
