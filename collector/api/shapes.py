"""How values look as JSON. Pure."""

from dataclasses import asdict
from typing import Any

from collector.alerts.evaluate import Case
from collector.alerts.silences import Silence
from collector.alerts.subject import alert_key
from collector.alerts.words import describe
from collector.fleet.document import pool_document, reading_document
from collector.fleet.host import Host
from collector.fleet.pools import PoolNow
from collector.storage.alerts import PastTransition
from collector.storage.outbox import Told
from collector.trends.series import Point
from shared.errors import PortgaugeError


class UnknownHost(PortgaugeError):
    """Nobody of that name ever reported."""

    def __init__(self, host: str) -> None:
        super().__init__(f"no host {host[:253]!r} ever reported; see /v1/hosts")
        self.host = host


def host_shape(host: Host, now_ms: int) -> dict[str, Any]:
    """One host, and what its readings are worth now."""
    return {
        "host": host.name,
        "role": host.role,
        "state": host.presence(now_ms).value,
        "failure": host.failure,
        "boot_id": host.boot_id,
        "last_seq": host.last_seq,
        "received": host.received,
        "missing": host.missing,
        "duplicates": host.duplicates,
        "last_seen_ms": host.last_seen_ms,
        "skew_ms": host.skew_ms,
        "contested": host.is_contested(now_ms),
        "interval_ms": host.interval_ms,
        "agent_version": host.agent_version,
        "labels": dict(host.labels),
        "agent": dict(host.state) | {"cpu_ms": host.cpu_ms} if host.state else None,
    }


def pool_shape(item: PoolNow) -> dict[str, Any]:
    """A pool's latest reading; `state` tells whether it may be believed now."""
    return {
        "host": item.host,
        "role": item.role,
        **pool_document(item.reading.pool),
        **reading_document(item.reading),
        "taken_at_ms": item.taken_at_ms,
        "state": "ok" if item.is_current else "unknown",
    }


def alert_shape(case: Case) -> dict[str, Any]:
    """Where a rule stands on its subject; what was seen of it is of `at_ms`."""
    reading = case.seen.reading
    return {
        "alert": alert_key(case.rule, case.subject),
        "rule": case.rule,
        "severity": case.severity,
        "state": case.alert.state.value,
        "since_ms": case.alert.since_ms,
        "firing_since_ms": case.alert.fired_ms,
        "role": case.role or None,
        **case.subject.document(),
        **(reading_document(reading) if reading else {}),
        "facts": dict(case.seen.facts),
        "summary": describe(case),
        "at_ms": case.seen_ms,
    }


def transition_shape(item: PastTransition) -> dict[str, Any]:
    """One change of state."""
    return {
        "id": item.id,
        "alert": alert_key(item.rule, item.subject),
        "rule": item.rule,
        "severity": item.severity,
        **item.subject.document(),
        "at_ms": item.at_ms,
        "before": item.before.value,
        "after": item.after.value,
        "held": item.held,
        "capacity": item.capacity,
    }


def silence_shape(one: Silence, now_ms: int) -> dict[str, Any]:
    """Who silenced what, why, and until when."""
    return {
        "id": one.id,
        "state": "active" if one.is_active(now_ms) else "to come",
        "author": one.author,
        "reason": one.reason,
        "created_ms": one.created_ms,
        "starts_ms": one.starts_ms,
        "ends_ms": one.ends_ms,
        "where": asdict(one.where),
        "rule": list(one.rule),
        "severity": list(one.severity),
    }


def notice_shape(one: Told) -> dict[str, Any]:
    """A notice to one channel, and every attempt to hand it over."""
    return {
        "key": one.key,
        "channel": one.channel,
        "state": one.document["state"],
        "severity": one.document["severity"],
        "summary": one.document["summary"],
        "alert": one.document["alert"],
        "created_ms": one.created_ms,
        "outcome": one.outcome or "owed",
        "closed_ms": one.closed_ms,
        "attempts": [asdict(attempt) for attempt in one.attempts],
    }


def point_shape(point: Point) -> dict[str, Any]:
    """One step of a trend."""
    return asdict(point)
