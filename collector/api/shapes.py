"""How values look as JSON: a type for each answer, from which the API's document is written. Pure."""

from collections.abc import Mapping
from typing import Annotated, Any, Generic, TypedDict, TypeVar

from msgspec import Meta

from collector.alerts.evaluate import Case
from collector.alerts.rules import SEVERITIES
from collector.alerts.silences import Silence
from collector.alerts.step import AlertState
from collector.alerts.subject import SubjectShape, alert_key
from collector.alerts.where import Where
from collector.alerts.words import describe
from collector.fleet.document import (
    Count,
    EvidenceShape,
    PoolShape,
    ReadingShape,
    Share,
    evidence_document,
    one_of,
    pool_document,
    reading_document,
)
from collector.fleet.host import Host, PoolNow, Presence
from collector.storage.alerts import PastTransition
from collector.storage.outbox import Attempt, Told
from shared.errors import PortgaugeError

T = TypeVar("T")
State = Annotated[str, one_of(AlertState)]
Severity = Annotated[str, one_of(SEVERITIES)]


class UnknownSilence(PortgaugeError):
    """None that is active or to come has this id."""

    def __init__(self, silence_id: str) -> None:
        super().__init__(f"no silence that is active or to come has the id {silence_id[:20]!r}; see /v1/silences")


class Listing(TypedDict, Generic[T]):
    """A page of a list: `next` is the cursor of the page after it, null on the last."""

    items: list[T]
    next: str | None


class Items(TypedDict, Generic[T]):
    """The whole of a list."""

    items: list[T]


class Ranking(TypedDict, Generic[T]):
    """The first of a window, `from_ms` included, `to_ms` not."""

    from_ms: Count
    to_ms: Count
    items: list[T]


class AgentShape(TypedDict):
    """What the agent's process says of itself: the revision in force, one that failed and why, what it can do."""

    started_ms: Count
    cpu_ms: Count
    dropped: Count
    revision: Count
    failed: Count
    why: str
    features: list[str]


class HostShape(TypedDict):
    """One host, and what its readings are worth now."""

    host: str
    role: str | None
    state: Annotated[str, one_of(Presence)]
    failure: str | None
    boot_id: str
    last_seq: Count
    received: Count
    missing: Count
    duplicates: Count
    last_seen_ms: Count
    skew_ms: int
    contested: bool
    interval_ms: Count
    agent_version: str
    labels: dict[str, str]
    agent: AgentShape | None


class PoolNowShape(PoolShape, ReadingShape):
    """A pool's latest reading; `state` is `unknown` where its host is silent or blind since."""

    host: str
    role: str | None
    taken_at_ms: Count
    state: Annotated[str, one_of(("ok", "unknown"))]
    evidence: Annotated[list[EvidenceShape], Meta(description="what was logged of it since the report before")]


class CaseShape(SubjectShape):
    """Where a rule stands on its subject; what was seen of it is of `at_ms`."""

    alert: str
    rule: str
    severity: Severity
    state: State
    since_ms: Count
    firing_since_ms: Count | None
    role: str | None
    facts: dict[str, Any]
    summary: str
    at_ms: Count


class PoolCaseShape(CaseShape, ReadingShape):
    """As a case, with the reading of its pool."""


class AlertShape(CaseShape, total=False):
    """Where a rule stands on its subject. What was seen of it is of `at_ms`: a pool's reading, or else facts."""

    held: Count
    capacity: Count
    headroom_min: Count
    headroom_max: Count
    occupancy: Share
    states: dict[str, Count]
    owner: str
    failures: Count
    knee: bool | None
    recyclable: Count


class TransitionShape(SubjectShape):
    """One change of state, and what its pool held then."""

    id: int
    alert: str
    rule: str
    severity: Severity
    at_ms: Count
    before: State
    after: State
    held: Count | None
    capacity: Count | None


class SilenceShape(TypedDict):
    """Who silenced what, why, and until when."""

    id: int
    state: Annotated[str, one_of(("active", "to come"))]
    author: str
    reason: str
    created_ms: Count
    starts_ms: Count
    ends_ms: Count
    where: Where
    rule: list[str]
    severity: list[Severity]


class NoticeShape(TypedDict):
    """A notice to one channel, and every attempt to hand it over."""

    key: str
    channel: str
    state: str
    severity: Severity
    summary: str
    alert: str
    created_ms: Count
    outcome: Annotated[str, one_of(("owed", "delivered", "given_up"))]
    closed_ms: Count | None
    attempts: list[Attempt]


def host_shape(host: Host, now_ms: int) -> HostShape:
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
        "agent": _agent_shape(host.state, host.cpu_ms) if host.state else None,
    }


def _agent_shape(state: Mapping[str, Any], cpu_ms: int) -> AgentShape:
    return {
        "started_ms": state["started_ms"],
        "cpu_ms": cpu_ms,
        "dropped": state["dropped"],
        "revision": state["revision"],
        "failed": state["failed"],
        "why": state["why"],
        "features": list(state["features"]),
    }


def pool_shape(item: PoolNow) -> PoolNowShape:
    """A pool's latest reading; `state` tells whether it may be believed now."""
    return {
        "host": item.host,
        "role": item.role,
        **pool_document(item.reading.pool),
        **reading_document(item.reading),
        "taken_at_ms": item.taken_at_ms,
        "state": "ok" if item.is_current else "unknown",
        "evidence": [evidence_document(one) for one in item.evidence],
    }


def alert_shape(case: Case) -> CaseShape | PoolCaseShape:
    """Where a rule stands on its subject: an AlertShape, of which the reading is there or not as a whole."""
    told: CaseShape = {
        "alert": alert_key(case.rule, case.subject),
        "rule": case.rule,
        "severity": case.severity,
        "state": case.alert.state.value,
        "since_ms": case.alert.since_ms,
        "firing_since_ms": case.alert.fired_ms,
        "role": case.role or None,
        **case.subject.document(),
        "facts": dict(case.seen.facts),
        "summary": describe(case),
        "at_ms": case.seen_ms,
    }
    if case.seen.reading is None:
        return told
    with_reading: PoolCaseShape = {**told, **reading_document(case.seen.reading)}
    return with_reading


def transition_shape(item: PastTransition) -> TransitionShape:
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


def silence_shape(one: Silence, now_ms: int) -> SilenceShape:
    """Who silenced what, why, and until when."""
    return {
        "id": one.id,
        "state": "active" if one.is_active(now_ms) else "to come",
        "author": one.author,
        "reason": one.reason,
        "created_ms": one.created_ms,
        "starts_ms": one.starts_ms,
        "ends_ms": one.ends_ms,
        "where": one.where,
        "rule": list(one.rule),
        "severity": list(one.severity),
    }


def notice_shape(one: Told) -> NoticeShape:
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
        "attempts": list(one.attempts),
    }
