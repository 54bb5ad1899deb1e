"""Alerts with one cause are one incident: what a person is told, once, with the hosts counted. Pure.

A backend that dies behind two hundred load balancers fires two hundred alerts and is one incident, of each severity. An
incident is told when its first alert fires, told again when it has grown much, and resolved when its last alert is.

Some incidents are hidden: a plan while a page has the same cause, whatever is on a host that is silent, what is
silenced. What is hidden is not forgotten: it is told as soon as nothing hides it any more, if it still is.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from collector.alerts.conditions import FAILURES, SILENT, Scope
from collector.alerts.evaluate import Case
from collector.alerts.rules import PAGE, PLAN, Rule
from collector.alerts.subject import stable_key
from shared.addresses import format_endpoint, is_host_local
from shared.model import Kind

GROWN = 2
"""An incident of this many times as many hosts is news."""
GROWS_EVERY_MS = 30_000
"""How long after a notice the next one about the same incident may come at the earliest."""

IncidentId = tuple[str, str]
"""(severity, cause)."""


class Telling(StrEnum):
    """Why people are told of an incident."""

    FIRING = "firing"
    GREW = "grew"
    RESOLVED = "resolved"
    FORGOTTEN = "forgotten"
    """It ended because what it was left on is no more: hosts forgotten, network namespaces ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """What is kept of an incident while it is open."""

    severity: str
    cause: str
    opened_ms: int
    told_ms: int | None = None
    """When people were last told; None: never yet."""
    tellings: int = 0
    told_hosts: int = 0
    channels: tuple[str, ...] = ()
    """Who was told; they will be told of its end, too."""
    lead: str = ""
    """The key of the alert that stands for all, when it was last told."""

    @property
    def id(self) -> IncidentId:
        """What no two open ones share."""
        return (self.severity, self.cause)

    @property
    def key(self) -> str:
        """The same from its first notice to its last."""
        return stable_key(self.severity, self.cause, self.opened_ms)


@dataclass(frozen=True, slots=True)
class Change:
    """An incident as it stands now; with `telling`, people are told. `members` are those that are not hidden."""

    incident: Incident
    telling: Telling | None
    members: tuple[Case, ...]
    is_over: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """All that decides who is told of what."""

    rules: Mapping[str, Rule]
    is_silenced: Callable[[Case], bool]
    channels: Callable[[str, Iterable[Rule | None]], tuple[str, ...]]
    """Who takes notices of this severity about these rules."""
    now_ms: int


def cause_of(case: Case) -> str:
    """What the case most likely shares with others of the same cause."""
    subject, pool = case.subject, case.subject.pool
    where = f"role {case.role}" if case.role else f"host {subject.name}"
    if pool is not None:
        if pool.kind is not Kind.CONNECT:
            return f"{pool.kind} pools, {where}"
        endpoint = format_endpoint(pool.peer, pool.peer_port)
        # Each host has a 127.0.0.1 of its own, and whatever listens there.
        return f"host {subject.name}, backend {endpoint}" if is_host_local(pool.peer) else f"backend {endpoint}"
    if subject.scope is Scope.PEER:
        return f"backend {subject.name}"
    return f"{case.rule}, {where if subject.scope is Scope.HOST else subject}"


def review(open_: Mapping[IncidentId, Incident], fired: Iterable[Case], scene: Scene) -> list[Change]:
    """Every incident that is not as it was. `fired`: each case that was told, or is to be, and is not over."""
    members: dict[IncidentId, list[Case]] = defaultdict(list)
    for case in fired:
        members[case.severity, cause_of(case)].append(case)
    silent: set[str | None] = {
        case.subject.name
        for cases in members.values()
        for case in cases
        if case.rule in scene.rules and scene.rules[case.rule].measure is SILENT
    }
    paged = {cause for severity, cause in members if severity == PAGE}
    changes = [_ended(incident) for which, incident in open_.items() if which not in members]
    for which, cases in members.items():
        severity, cause = which
        is_hidden = severity == PLAN and cause in paged
        seen = () if is_hidden else tuple(case for case in cases if not _is_hidden(case, silent, scene))
        before = open_.get(which) or Incident(severity=severity, cause=cause, opened_ms=scene.now_ms)
        change = _reviewed(before, seen, scene)
        if change.telling or which not in open_:
            changes.append(change)
    return sorted(changes, key=lambda one: (one.incident.opened_ms, one.incident.severity == PAGE, one.incident.cause))


def leading(members: Sequence[Case], rules: Mapping[str, Rule]) -> Case:
    """The case that stands for all: what fails already, then what is fullest, then what fired first."""

    def urgency(case: Case) -> tuple[bool, float, int]:
        rule, reading = rules.get(case.rule), case.seen.reading
        fails = rule is not None and rule.measure is FAILURES
        return (not fails, -(reading.occupancy if reading else 2.0), case.alert.fired_ms or 0)

    return min(members, key=urgency)


def hosts_of(members: Iterable[Case]) -> int:
    """On how many hosts they are."""
    return len({case.subject.host for case in members if case.subject.host is not None})


def _ended(incident: Incident) -> Change:
    return Change(incident, Telling.RESOLVED if incident.told_ms is not None else None, (), is_over=True)


def _reviewed(before: Incident, seen: tuple[Case, ...], scene: Scene) -> Change:
    hosts = hosts_of(seen)
    if not seen:
        return Change(before, None, ())
    if before.told_ms is None:
        telling = Telling.FIRING
    elif hosts >= GROWN * max(1, before.told_hosts) and scene.now_ms - before.told_ms >= GROWS_EVERY_MS:
        telling = Telling.GREW
    else:
        return Change(before, None, seen)
    told = scene.channels(before.severity, [scene.rules.get(case.rule) for case in seen])
    after = replace(
        before,
        told_ms=scene.now_ms,
        told_hosts=hosts,
        tellings=before.tellings + 1,
        channels=tuple(dict.fromkeys((*before.channels, *told))),
    )
    return Change(after, telling, seen)


def _is_hidden(case: Case, silent: Collection[str | None], scene: Scene) -> bool:
    rule = scene.rules.get(case.rule)
    is_silence_itself = rule is not None and rule.measure is SILENT
    return (case.subject.host in silent and not is_silence_itself) or scene.is_silenced(case)
