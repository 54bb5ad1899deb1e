"""Silences and maintenance windows: what nobody is to be told of for a while, who says so, and why. Pure."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from collector.alerts.conditions import Scope
from collector.alerts.evaluate import Case
from collector.alerts.rules import SEVERITIES
from collector.alerts.where import Place, Where
from shared.addresses import InvalidAddress, parse_endpoint
from shared.limits import MAX_TIME_MS
from shared.model import Kind, Pool
from shared.settings import InvalidValue, build, nearest

MOST_DAYS = 366
DAY_MS = 24 * 3_600_000


class InvalidSilence(InvalidValue):
    """A silence that could never work, or that would silence too much."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """Alerts that `where`, `rule` and `severity` all mean are not told from `starts_ms` until `ends_ms`."""

    author: str
    reason: str
    starts_ms: int
    ends_ms: int
    where: Where
    rule: tuple[str, ...] = ()
    severity: tuple[str, ...] = ()
    id: int = 0
    created_ms: int = 0

    def __post_init__(self) -> None:
        for key in ("author", "reason"):
            text = getattr(self, key)
            if not text.strip() or not text.isprintable():
                raise InvalidSilence(key, f"{key}: printable text is needed: others will read it at night")
        if not 0 <= self.starts_ms <= MAX_TIME_MS or self.ends_ms > MAX_TIME_MS:
            raise InvalidSilence("ends_ms", "no such time can be kept")
        if not self.starts_ms < self.ends_ms:
            raise InvalidSilence("ends_ms", "it must end after it starts")
        if self.ends_ms - self.starts_ms > MOST_DAYS * DAY_MS:
            raise InvalidSilence("ends_ms", f"it must end within {MOST_DAYS} days")
        for severity in self.severity:
            if severity not in SEVERITIES:
                known = ", ".join(SEVERITIES)
                raise InvalidSilence("severity", f"one of {known}, not {severity!r}{nearest(severity, SEVERITIES)}")
        if self.where.is_empty and not self.rule:
            raise InvalidSilence("where", "say what is to be silent: a host, role, peer, kind, netns, label or rule")

    def is_active(self, now_ms: int) -> bool:
        """Whether it silences now."""
        return self.starts_ms <= now_ms < self.ends_ms

    def covers(self, case: Case, place: Place) -> bool:
        """Whether the case, on this host, is meant."""
        return (
            (not self.rule or case.rule in self.rule)
            and (not self.severity or case.severity in self.severity)
            and (self.where.is_empty or self._means(case, place))
        )

    def _means(self, case: Case, place: Place) -> bool:
        asks_of_host = bool(self.where.host or self.where.role or self.where.labels)
        if case.subject.host is None and asks_of_host:
            is_role = case.subject.scope is Scope.ROLE and not self.where.host and not self.where.labels
            if not (is_role and self.where.accepts_place(Place(role=case.subject.name))):
                return False
        if case.subject.host is not None and not self.where.accepts_place(place):
            return False
        if not self.where.names_pools:
            return True
        pool = case.subject.pool or _pool_of_peer(case)
        return pool is not None and self.where.accepts_pool(pool)

    def matchers(self) -> str:
        """`where`, `rule` and `severity` as a database keeps them."""
        return json.dumps({"where": asdict(self.where), "rule": list(self.rule), "severity": list(self.severity)})


def from_matchers(text: str) -> dict[str, Any]:
    """What `matchers` wrote, as arguments of a Silence."""
    kept = json.loads(text)
    where = build(Where, kept["where"], "silence")
    return {"where": where, "rule": tuple(kept["rule"]), "severity": tuple(kept["severity"])}


def is_silenced(silences: Iterable[Silence], case: Case, place: Place, now_ms: int) -> bool:
    """Whether any of them keeps this case quiet now."""
    return any(silence.is_active(now_ms) and silence.covers(case, place) for silence in silences)


def _pool_of_peer(case: Case) -> Pool | None:
    if case.subject.scope is not Scope.PEER:
        return None
    try:
        peer, port = parse_endpoint(case.subject.name)
    except InvalidAddress:
        return None
    return Pool("", Kind.CONNECT, peer, peer, port)
