"""Everything that is watched, in memory: fed with snapshots and with time, it answers what changed.

Pure but for its own memory. Whoever cannot write down what it answered throws it away and makes another from what is
written: the database is the truth, this is a way not to read it every second.
"""

import heapq
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from collector.alerts.conditions import BLIND, CLOCK, CONTESTED, DRIFT, SILENT, SPENT_SOON, Scope
from collector.alerts.evaluate import (
    Case,
    Foresee,
    Key,
    Note,
    Sight,
    Verdict,
    end,
    foresee_nothing,
    is_news,
    judge,
    note_nothing,
    retire,
    verdict_on,
)
from collector.alerts.evaluate import opened as open_case
from collector.alerts.glance import Glance, calm_of
from collector.alerts.observe import NO, YES, Filling, Observation
from collector.alerts.rules import Rule
from collector.alerts.step import Span
from collector.alerts.subject import Subject
from collector.alerts.survey import Summary, Surveyed, Totals, drifters, summarise, survey
from collector.alerts.where import Place
from collector.fleet.host import Doubt, patience_ms
from shared.model import Snapshot

NO_DOUBT = Doubt(is_contested=False, skew_ms=0)
TOLD_BY_TICKS = (DRIFT, CONTESTED, CLOCK)
"""What a host's own report does not tell: it takes the others, or what the database knows of it."""
PURGE_EVERY_MS = 60_000
ENDED_MS = 600_000
"""For how long a host must report all that it has, and not a network namespace, before that has ended for good: longer
than whatever was in it takes to be started again."""


@dataclass(slots=True)
class _Known:
    """A host as it last reported."""

    place: Place
    last_ms: int
    deadline_ms: int
    failure: str | None
    is_silent: bool = False


class Watch:
    """The cases of all rules, who reports, and the fleet as a whole. Times are ms of receive time."""

    def __init__(
        self,
        rules: Sequence[Rule],
        cases: Iterable[Case],
        foresee: Foresee = foresee_nothing,
        note: Note = note_nothing,
    ) -> None:
        self._rules, self._foresee, self._tell = tuple(rules), foresee, note
        self._by_name = {rule.name: rule for rule in rules}
        self._calm = calm_of(rules)
        self._wide_rules = [rule for rule in rules if rule.level is not None]
        self._pool_rules = [rule for rule in rules if rule.scope is Scope.POOL]
        self._foretelling = [rule for rule in self._pool_rules if rule.measure is SPENT_SOON]
        self._host_rules = [rule for rule in rules if rule.scope is Scope.HOST]
        self._cases: dict[str, dict[Key, Case]] = {}
        self._fired: dict[Key, Case] = {}
        self._known: dict[str, _Known] = {}
        self._missing: dict[str, dict[str, int]] = {}
        """By host, network namespaces that a case is about and its reports do not list, and since when."""
        self._names: dict[int, str] = {}
        self._deadlines: list[tuple[int, str]] = []
        self._heard: dict[str, Summary] = {}
        self._silent: dict[str, Summary] = {}
        self._drifters: dict[str, dict[str, Any]] = {}
        self._surveyed: dict[str, Sequence[Surveyed]] = {}
        self._doubts: Mapping[str, Doubt] = {}
        self._watched_hosts: set[str] = set()
        self._is_stale = self._may_drift = True
        """Whether what is known of hosts changed since the fleet was last looked at; and whether their settings did."""
        self._has_looked_around = False
        self._purge_ms = 0
        for case in cases:
            self._keep(case)

    @property
    def rules(self) -> Sequence[Rule]:
        """What it watches by."""
        return self._rules

    @property
    def cases(self) -> Iterator[Case]:
        """Every case."""
        return (case for mine in self._cases.values() for case in mine.values())

    @property
    def fired(self) -> Iterable[Case]:
        """Every case that began to fire and is not over, known now or not."""
        return self._fired.values()

    def place_for(self, case: Case) -> Place:
        """The host of a case, as filters see it."""
        known = self._known.get(case.subject.host or "")
        return known.place if known else Place(host=case.subject.host or "", role=case.role)

    def case(self, key: Key) -> Case | None:
        """One case."""
        return self._cases.get(key[1].host or "", {}).get(key)

    def place_of(self, host_id: int) -> Place | None:
        """The host of this id, if it was ever heard of."""
        name = self._names.get(host_id)
        known = self._known.get(name) if name else None
        return known.place if known else None

    def restore(  # noqa: PLR0913 - what is known of a host
        self,
        place: Place,
        snapshot: Snapshot | None,
        last_ms: int,
        interval_ms: int,
        *,
        failure: str | None,
        host_id: int,
    ) -> None:
        """Recall a host as it was, its last good snapshot and whether it failed since, without judging it again."""
        self._names[host_id] = place.host
        self._note(place, snapshot, last_ms, interval_ms)
        if failure is not None:
            self._known[place.host].failure = failure
            if place.host in self._heard:
                self._silent[place.host] = self._heard.pop(place.host)

    def take(  # noqa: PLR0913 - what came of a host
        self,
        place: Place,
        snapshot: Snapshot | None,
        interval_ms: int,
        now_ms: int,
        *,
        host_id: int,
        pools: int | None = None,
    ) -> list[Verdict]:
        """Judge a host's next snapshot; None: it came, and cannot be read.

        Of a snapshot in which only the pools that `rows` answered were read, `pools` is how many there are.
        """
        self._names[host_id] = place.host
        self._note(place, snapshot, now_ms, interval_ms, pools)
        sight = Sight(place=place, snapshot=snapshot, now_ms=now_ms, foresee=self._foresee)
        verdicts = judge(self._pool_rules, self._cases.get(place.host, {}), sight)
        for verdict in verdicts:
            self._keep(verdict.case)
        verdicts += self._end_missing(place.host, snapshot, now_ms)
        return verdicts + self._judge_host(place.host, now_ms)

    def is_calm(self, seen: Glance, now_ms: int, *, host_id: int) -> bool:
        """Whether a glance is enough: nothing about this host is open, and no rule can have anything to say.

        Where it is, the host is noted as heard; where not, nothing is, and its snapshot must be taken in full.
        """
        host = seen.place.host
        if self._calm is None or self._cases.get(host) or host in self._drifters or not self._calm.holds(seen):
            return False
        if not self._tell_forecast(seen, now_ms):
            return False
        self._names[host_id] = host
        deadline_ms = now_ms + patience_ms(seen.interval_ms)
        self._known[host] = _Known(seen.place, now_ms, deadline_ms, None)
        heapq.heappush(self._deadlines, (deadline_ms, host))
        totals = Totals(0, seen.pools, frozenset())
        wide = {rule.name: totals for rule in self._wide_rules if rule.where.accepts_place(seen.place)}
        self._hear(host, Summary(seen.place, wide, seen.settings))
        return True

    def _tell_forecast(self, seen: Glance, now_ms: int) -> bool:
        """Of pools that are filling, though nothing is foretold of them yet. False where it is not known which."""
        is_filling = self._calm is not None and seen.occupancy >= self._calm.early
        if not (is_filling and any(rule.where.accepts_place(seen.place) for rule in self._foretelling)):
            return True
        pools = seen.listed
        if pools is None:
            return False
        columns = seen.body.columns
        self._tell(seen.place.host, Filling(pools, columns["held"], columns["capacity"]), now_ms)
        return True

    def rows(self, seen: Glance) -> Sequence[int] | None:
        """The pools of a host that is not calm which are to be read: those that may be hot, and those with a case.

        None: all, because rules ask for more than a glance shows, or it is not known yet which pools are listed.
        """
        if self._calm is None:
            return None
        hot = self._calm.rows(seen)
        open_ = {case.subject.pool for case in self._cases.get(seen.place.host, {}).values()} - {None}
        if not open_:
            return hot
        pools = seen.listed
        if pools is None:
            return None
        return sorted({*hot, *(row for row, pool in enumerate(pools) if pool in open_)})

    def needs_all(self, host: str) -> bool:
        """Whether every pool of the host's next snapshot is to be read: something about it is open, or may be."""
        return self._calm is None or bool(self._cases.get(host))

    @property
    def rests_until_ms(self) -> float:
        """Until when time alone changes nothing, because nothing is open and nobody's patience ends; 0: it may now."""
        if self._is_stale or not all(case.is_resting for case in self.cases):
            return 0
        return self._deadlines[0][0] if self._deadlines else math.inf

    def tick(
        self,
        now_ms: int,
        undelivered: Mapping[str, float] | None = None,
        doubts: Mapping[str, Doubt] | None = None,
        halted: Mapping[str, str] | None = None,
    ) -> list[Verdict]:
        """Judge what time brings: silence, holds that ran out, doubts about hosts, and the fleet as a whole.

        `undelivered`: for how many seconds each channel has been failing to take what it is owed; `halted`: why each
        rollout that stopped by itself did, by its number.
        """
        self._doubts = {host: doubt for host, doubt in (doubts or {}).items() if host in self._known}
        verdicts = [verdict for host in self._fall_silent(now_ms) for verdict in self._hush(host, now_ms)]
        if self._is_stale:
            if self._may_drift and any(rule.measure is DRIFT for rule in self._rules):
                # Who does not report now still says what is usual: nobody drifts less because another fell silent.
                self._drifters = drifters(self._silent | self._heard)
            self._surveyed = {rule.name: list(survey(rule, self._heard, self._silent)) for rule in self._wide_rules}
        self._has_looked_around = True
        for host in sorted(self._watched_hosts | self._drifters.keys() | self._doubts.keys()):
            verdicts += self._judge_host(host, now_ms)
        verdicts += self._judge_wide(now_ms, undelivered, halted or {})
        self._is_stale = self._may_drift = False
        if now_ms >= self._purge_ms:
            self._purge(now_ms)
        return verdicts

    def forget(self, host: str, now_ms: int) -> list[Verdict]:
        """End all that is about a host that is no more. With its next report it is a new one."""
        if self._known.pop(host, None):
            self._is_stale = self._may_drift = True
        self._heard.pop(host, None)
        self._silent.pop(host, None)
        self._drifters.pop(host, None)
        self._watched_hosts.discard(host)
        self._missing.pop(host, None)
        cases = self._cases.pop(host, {})
        for key in cases:
            self._fired.pop(key, None)
        return [end(case, now_ms) for case in cases.values()]

    def _end_missing(self, host: str, snapshot: Snapshot | None, now_ms: int) -> list[Verdict]:
        """End what is about network namespaces that are no more: nobody will ever see their pools calm down."""
        before = self._missing.pop(host, {})
        if snapshot is None or snapshot.failure is not None or snapshot.unreadable:
            return []  # What it does not list may be what it cannot see.
        mine = self._cases.get(host, {})
        listed = {one.name for one in snapshot.namespaces}
        missing = {pool.netns for _, subject in mine if (pool := subject.pool) and pool.netns not in listed}
        since = {netns: before.get(netns, now_ms) for netns in missing}
        ended = {netns for netns, since_ms in since.items() if now_ms - since_ms >= ENDED_MS}
        if since.keys() - ended:
            self._missing[host] = {netns: since[netns] for netns in since.keys() - ended}
        over = [case for case in mine.values() if case.subject.pool and case.subject.pool.netns in ended]
        for case in over:
            del mine[case.key]
            self._fired.pop(case.key, None)
        return [end(case, now_ms) for case in over]

    # --- hosts -------------------------------------------------------------------------------------------------------

    def _note(
        self, place: Place, snapshot: Snapshot | None, last_ms: int, interval_ms: int, pools: int | None = None
    ) -> None:
        deadline_ms = last_ms + patience_ms(interval_ms)
        failure = snapshot.failure if snapshot else "its report cannot be read"
        self._known[place.host] = _Known(place, last_ms, deadline_ms, failure)
        heapq.heappush(self._deadlines, (deadline_ms, place.host))
        if snapshot and failure is None:
            self._hear(place.host, summarise(place, snapshot, self._wide_rules, pools))
            return
        if last := self._silent.get(place.host) or self._heard.pop(place.host, None):
            self._silent[place.host] = last
        self._is_stale = self._may_drift = True

    def _hear(self, host: str, summary: Summary) -> None:
        """What is kept of a host that reports. Most say what they said before: the fleet is as it was."""
        before = self._heard.get(host)
        if self._silent.pop(host, None) or before is None or before.settings != summary.settings:
            self._is_stale = self._may_drift = True
        elif before != summary:
            self._is_stale = True
            self._may_drift |= before.place != summary.place
        self._heard[host] = summary

    def _fall_silent(self, now_ms: int) -> list[str]:
        """Who has by now been silent for too long, each told once. A report since then has moved the deadline."""
        fallen = []
        while self._deadlines and self._deadlines[0][0] < now_ms:
            deadline_ms, host = heapq.heappop(self._deadlines)
            known = self._known.get(host)
            if known and known.deadline_ms == deadline_ms and not known.is_silent:
                known.is_silent = True
                fallen.append(host)
                if host in self._heard:
                    self._silent[host] = self._heard.pop(host)
                self._is_stale = self._may_drift = True
        return fallen

    def _hush(self, host: str, now_ms: int) -> list[Verdict]:
        sight = Sight(place=self._known[host].place, snapshot=None, now_ms=now_ms)
        self._missing.pop(host, None)
        verdicts = judge(self._pool_rules, self._cases.get(host, {}), sight)
        for verdict in verdicts:
            self._keep(verdict.case)
        return verdicts + self._judge_host(host, now_ms)

    def _judge_host(self, host: str, now_ms: int) -> list[Verdict]:
        known = self._known.get(host)
        if known and known.failure is None and not known.is_silent and not self._is_odd(host):
            return []
        verdicts = []
        for rule in self._host_rules:
            if rule.measure in TOLD_BY_TICKS and not self._has_looked_around:
                continue  # A watch just made knows nothing of it yet, and that it is calm least of all.
            if known is None or rule.where.accepts_place(known.place):
                span, facts = self._host_span(rule, host, now_ms)
                role = known.place.role if known else ""
                verdicts += self._stepped(rule, Surveyed(Subject(Scope.HOST, host), span, facts), now_ms, role)
        return verdicts + self._retired_of_host(host, known, now_ms)

    def _is_odd(self, host: str) -> bool:
        """Whether a rule about hosts may have something to say of one that reports."""
        return host in self._watched_hosts or host in self._drifters or host in self._doubts

    def _retired_of_host(self, host: str, known: _Known | None, now_ms: int) -> list[Verdict]:
        verdicts = []
        for case in list(self._cases.get(host, {}).values()):
            rule = self._by_name.get(case.rule)
            is_ours = case.subject.scope is Scope.HOST
            gone = rule is None or rule.scope is not Scope.HOST or (known and not rule.where.accepts_place(known.place))
            if is_ours and gone and not case.is_resting:
                verdicts.append(retire(case, now_ms))
                self._keep(verdicts[-1].case)
        return verdicts

    def _host_span(self, rule: Rule, host: str, now_ms: int) -> tuple[Span | None, dict[str, Any]]:
        known = self._known.get(host)
        if known is None:
            return None, {}
        if rule.measure is SILENT:
            return (YES if known.is_silent else NO), {"silent_for_s": max(0, now_ms - known.last_ms) // 1000}
        if known.is_silent or (rule.measure is DRIFT and known.failure is not None):
            return None, {}
        if rule.measure is BLIND:
            return (YES if known.failure is not None else NO), {"failure": known.failure}
        if rule.measure in {CONTESTED, CLOCK}:
            return self._doubted_span(rule, host)
        return (YES if host in self._drifters else NO), {"settings": self._drifters.get(host, {})}

    def _doubted_span(self, rule: Rule, host: str) -> tuple[Span, dict[str, Any]]:
        doubt = self._doubts.get(host, NO_DOUBT)
        if rule.measure is CONTESTED:
            return (YES if doubt.is_contested else NO), {"contested": doubt.is_contested}
        off_s = abs(doubt.skew_ms) / 1000
        return Span(off_s, off_s), {"skew_s": doubt.skew_ms / 1000}

    # --- the fleet ---------------------------------------------------------------------------------------------------

    def _judge_wide(
        self, now_ms: int, undelivered: Mapping[str, float] | None, halted: Mapping[str, str]
    ) -> list[Verdict]:
        verdicts, seen = [], set()
        for rule in self._rules:
            for one in self._wide(rule, undelivered, halted):
                seen.add((rule.name, one.subject))
                verdicts += self._stepped(rule, one, now_ms)
        for key, case in list(self._cases.get("", {}).items()):
            now_rule = self._by_name.get(case.rule)
            if case.is_resting and key not in seen:
                continue
            if now_rule is None or now_rule.scope is not case.subject.scope:
                verdicts.append(retire(case, now_ms))
                self._keep(verdicts[-1].case)
            elif key not in seen and not (now_rule.scope is Scope.CHANNEL and undelivered is None):
                # Nobody speaks of it any more: no host presses on the backend, the role has no hosts, it goes on.
                verdicts += self._stepped(now_rule, Surveyed(case.subject, NO, {}), now_ms)
        return [verdict for verdict in verdicts if verdict.transition or not verdict.case.is_resting]

    def _wide(
        self, rule: Rule, undelivered: Mapping[str, float] | None, halted: Mapping[str, str]
    ) -> Iterator[Surveyed]:
        if rule.scope in {Scope.PEER, Scope.ROLE, Scope.FLEET}:
            yield from self._surveyed[rule.name]
        elif rule.scope is Scope.CHANNEL:
            for channel, seconds in (undelivered or {}).items():
                facts = {"failing_for_s": int(seconds)}
                yield Surveyed(Subject(Scope.CHANNEL, channel), Span(seconds, seconds), facts)
        elif rule.scope is Scope.ROLLOUT:
            for number, why in halted.items():
                yield Surveyed(Subject(Scope.ROLLOUT, number), YES, {"why": why})

    def _stepped(self, rule: Rule, one: Surveyed, now_ms: int, role: str = "") -> list[Verdict]:
        """One step of a subject that is no pool; none where it has no case and is not hot."""
        before = self.case((rule.name, one.subject))
        seen = Observation(facts=one.facts)
        if before is None:
            raise_at, _ = rule.levels
            if one.span is None or one.span.low < raise_at:
                return []
            verdict = verdict_on(rule, open_case(rule, one.subject, seen, now_ms, role), seen, one.span, now_ms)
        else:
            verdict = verdict_on(rule, before, seen if one.span else None, one.span, now_ms)
        self._keep(verdict.case)
        return [verdict] if is_news(before, verdict) else []

    def _keep(self, case: Case) -> None:
        self._cases.setdefault(case.subject.host or "", {})[case.key] = case
        if case.alert.fired_ms is None:
            self._fired.pop(case.key, None)
        else:
            self._fired[case.key] = case
        if case.subject.scope is Scope.HOST:
            self._watched_hosts.add(case.subject.name)

    def _purge(self, now_ms: int) -> None:
        """Forget cases that rest, once their flaps are forgotten too."""
        self._purge_ms = now_ms + PURGE_EVERY_MS
        for host, mine in list(self._cases.items()):
            for key in [key for key, case in mine.items() if case.is_forgettable(now_ms)]:
                del mine[key]
            if not mine:
                del self._cases[host]
            if not any(key[1].scope is Scope.HOST for key in mine):
                self._watched_hosts.discard(host)
