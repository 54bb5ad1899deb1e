"""Each built-in rule at each edge: hold, keep, gap, unknown, flap, restart, failover, skew, and the end of a silence.

A story is data: (how things are, for how many seconds), one after another, a beat every five seconds. What is bad, calm
and unknown differs from rule to rule and is in WAYS; what has to follow is the same for all, in the rule's own times.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import pytest

from collector.alerts.board import Board
from collector.alerts.builtin import BUILT_IN
from collector.alerts.incidents import Incident, Telling
from collector.alerts.observe import Forecast
from collector.alerts.rules import Rule
from collector.alerts.silences import Silence
from collector.alerts.step import AlertState
from collector.alerts.watch import Watch
from collector.alerts.where import Place, Where
from collector.fleet.host import Doubt
from shared.model import Kind, Reading, Snapshot
from shared.ports import PortRange
from tests.builders import NOON_MS, a_failure, a_namespace, a_pool, a_reading, a_snapshot

EVERY_S = 5
HOSTS = tuple(f"lb{number}" for number in range(6))
PATIENCE_S = 20
"""At which beat without a report a host is silent."""

Past = tuple[str, int]
"""How things are, and for how many seconds."""


@dataclass(frozen=True, kw_only=True)
class Input:
    """What comes at a beat: of lb0, of all others (None: no report), and what the collector knows itself."""

    first: Snapshot | None
    others: Snapshot | None
    undelivered: Mapping[str, float] = field(default_factory=dict)
    doubts: Mapping[str, Doubt] = field(default_factory=dict)
    halted: Mapping[str, str] = field(default_factory=dict)
    spent_in_s: float | None = None


@dataclass(frozen=True)
class Way:
    """How a rule comes to see what it watches for, and nothing at all (None: it always sees)."""

    bad: Input
    calm: Input
    gap: Input | None
    bad_after_s: int = 0
    gap_after_s: int = 0


def alone(snapshot: Snapshot | None) -> Input:
    return Input(first=snapshot, others=CALM)


def everywhere(snapshot: Snapshot | None) -> Input:
    return Input(first=snapshot, others=snapshot)


def holding(held: int, kind: Kind = Kind.CONNECT, failures: int = 0) -> Snapshot:
    pool = a_pool(0, kind=kind) if kind is Kind.BIND else a_pool(peer="10.0.9.21")
    reading: Reading = replace(a_reading(held, pool=pool), failures=failures)
    return a_snapshot(reading)


CALM = holding(10)
FINE = everywhere(CALM)
NARROW = a_snapshot(a_reading(5, 100), namespaces=[a_namespace(ports=PortRange(40_000, 40_099))])
BLIND = alone(a_failure())
MUTE = alone(None)


def doubted(doubt: Doubt) -> Way:
    """The database goes on doubting a host that has fallen silent."""
    bad, mute = (replace(one, doubts={"lb0": doubt}) for one in (FINE, MUTE))
    return Way(bad, FINE, mute, gap_after_s=PATIENCE_S - EVERY_S)


WAYS: Mapping[str, Way] = {
    "pool-half-full": Way(alone(holding(160)), FINE, BLIND),
    "pool-nearly-full": Way(alone(holding(270)), FINE, BLIND),
    "pool-spent-soon": Way(
        replace(alone(holding(100)), spent_in_s=60.0), replace(alone(holding(100)), spent_in_s=9_000.0), BLIND
    ),
    "connect-failed": Way(alone(holding(10, failures=3)), FINE, BLIND),
    "bind-pool-filling": Way(alone(holding(220, Kind.BIND)), alone(holding(10, Kind.BIND)), BLIND),
    "host-silent": Way(MUTE, FINE, None, bad_after_s=PATIENCE_S - EVERY_S),
    "agent-blind": Way(BLIND, FINE, MUTE, gap_after_s=PATIENCE_S - EVERY_S),
    "host-contested": doubted(Doubt(is_contested=True, skew_ms=0)),
    "clock-wrong": doubted(Doubt(is_contested=False, skew_ms=-90_000)),
    "fleet-filling": Way(everywhere(holding(180)), FINE, everywhere(a_failure())),
    "backend-pressed": Way(everywhere(holding(220)), FINE, everywhere(a_failure())),
    "role-drift": Way(alone(NARROW), FINE, BLIND),
    "channel-failing": Way(replace(FINE, undelivered={"hook": 61.0}), replace(FINE, undelivered={"hook": 0.0}), None),
    "rollout-halted": Way(replace(FINE, halted={"3": "lb1 was restarted"}), FINE, None),
}
SEEING = [rule for rule in BUILT_IN if WAYS[rule.name].gap]
HOLDING = [rule for rule in SEEING if rule.hold_s]
FLAPPING = [rule for rule in BUILT_IN if rule.hold_s < 300]


def named(rule: Rule) -> str:
    return rule.name


class Stage:
    """A watch and a board, and what people hear; `restarts` makes both anew before each beat, of what is kept."""

    def __init__(
        self, rule: Rule, *, restarts: bool = False, skew_ms: int = 0, silences: Sequence[Silence] = ()
    ) -> None:
        self._rule, self._way, self._restarts = rule, WAYS[rule.name], restarts
        self._skew_ms, self._silences = skew_ms, silences
        self._input = self._way.calm
        self._watch = Watch([rule], (), self._foresee)
        self._board = Board([rule], lambda _severity, _rules: ("log",), (), ())
        self._incidents: dict[str, Incident] = {}
        self._last: dict[str, tuple[Snapshot, Snapshot | None, int]] = {}
        self.second = 0
        self.states: list[AlertState] = []
        self.told: list[tuple[int, str]] = []

    def play(self, *story: Past) -> "Stage":
        for how, seconds in story:
            found = getattr(self._way, how)
            assert found is not None
            self._input = found
            for _ in range(seconds // EVERY_S):
                if self._restarts:
                    self._restart()
                self._beat(NOON_MS + self.second * 1000)
                self.second += EVERY_S
        return self

    def state(self) -> AlertState:
        """Where it stands now."""
        return self.states[-1]

    def _foresee(self, _host: str, _reading: Reading, _now_ms: int) -> Forecast | None:
        seconds = self._input.spent_in_s
        return None if seconds is None else Forecast(seconds, 1.0)

    def _beat(self, now_ms: int) -> None:
        verdicts = []
        for number, host in enumerate(HOSTS):
            snapshot = self._input.others if number else self._input.first
            if snapshot is None:
                continue
            # Clocks of hosts are off, now ahead and now behind: rules go by when a report was received.
            taken_ms = now_ms + (self._skew_ms if self.second % (2 * EVERY_S) else -self._skew_ms)
            sent = replace(snapshot, host=host, taken_at_ms=taken_ms)
            good = sent if sent.failure is None else self._last.get(host, (None, None, 0))[1]
            self._last[host] = (sent, good, now_ms)
            verdicts += self._watch.take(_place(host), sent, EVERY_S * 1000, now_ms, host_id=number)
        of_us = self._input
        verdicts += self._watch.tick(now_ms, of_us.undelivered, of_us.doubts, of_us.halted)
        self._board.note(verdicts)
        for change, _ in self._board.review(self._watch.fired, self._silences, self._watch.place_for, now_ms):
            self._incidents[change.incident.key] = change.incident
            if change.is_over:
                del self._incidents[change.incident.key]
            if change.telling:
                self.told.append((self.second, change.telling.value))
        cases = [case for case in self._watch.cases if case.subject.name in {"", "lb0", "hook", "3", "10.0.9.21:9001"}]
        self.states.append(cases[0].alert.state if cases else AlertState.OK)

    def _restart(self) -> None:
        """Another leader begins with what is written down."""
        cases = list(self._watch.cases)
        self._watch = Watch([self._rule], cases, self._foresee)
        self._board = Board([self._rule], lambda _severity, _rules: ("log",), self._incidents.values(), cases)
        for host, (sent, good, at_ms) in self._last.items():
            number = HOSTS.index(host)
            self._watch.restore(_place(host), good, at_ms, EVERY_S * 1000, failure=sent.failure, host_id=number)


def _place(host: str) -> Place:
    return Place(host=host, role="edge", labels={"role": "edge"})


def beats(seconds: float) -> int:
    """Rounded up to whole beats."""
    return -(-round(seconds) // EVERY_S) * EVERY_S


def bad_s(rule: Rule) -> int:
    """How long it must be bad for the rule to fire at the last beat of it."""
    return WAYS[rule.name].bad_after_s + beats(rule.hold_s) + EVERY_S


FIRING, RESOLVED = Telling.FIRING.value, Telling.RESOLVED.value


def test_every_rule_is_here() -> None:
    assert WAYS.keys() == {rule.name for rule in BUILT_IN}


@pytest.mark.parametrize("rule", BUILT_IN, ids=named)
def test_it_fires_when_its_hold_is_over_and_not_a_beat_before(rule: Rule) -> None:
    early = Stage(rule).play(("calm", 30), ("bad", bad_s(rule) - EVERY_S), ("calm", 30))
    assert early.told == []
    stage = Stage(rule).play(("calm", 30), ("bad", bad_s(rule) + 60))
    assert stage.told == [(30 + bad_s(rule) - EVERY_S, FIRING)]
    assert stage.state() is AlertState.FIRING


@pytest.mark.parametrize("rule", BUILT_IN, ids=named)
def test_it_is_over_when_its_keep_is_and_not_a_beat_before(rule: Rule) -> None:
    stage = Stage(rule).play(("calm", 30), ("bad", bad_s(rule)))
    calm_at = stage.second
    stage.play(("calm", beats(rule.keep_s)))
    assert [what for _, what in stage.told] == [FIRING]
    stage.play(("calm", EVERY_S))
    assert stage.told[1:] == [(calm_at + beats(rule.keep_s), RESOLVED)]
    assert stage.state() is AlertState.OK


@pytest.mark.parametrize("rule", SEEING, ids=named)
def test_without_data_it_is_unknown_and_people_hear_neither_an_end_nor_a_second_beginning(rule: Rule) -> None:
    gap_s = WAYS[rule.name].gap_after_s + 120
    stage = Stage(rule).play(("calm", 30), ("bad", bad_s(rule)), ("gap", gap_s))
    assert stage.state() is AlertState.UNKNOWN
    stage.play(("bad", WAYS[rule.name].bad_after_s + 30))
    assert stage.state() is AlertState.FIRING
    assert [what for _, what in stage.told] == [FIRING]


@pytest.mark.parametrize("rule", HOLDING, ids=named)
def test_heat_before_a_gap_does_not_count_towards_the_hold(rule: Rule) -> None:
    gap_s = WAYS[rule.name].gap_after_s + EVERY_S
    stage = Stage(rule).play(("calm", 30), ("bad", bad_s(rule) - EVERY_S), ("gap", gap_s))
    if WAYS[rule.name].gap_after_s:
        return  # Until it was silent it was as it was last seen, and the hold went on.
    stage.play(("bad", bad_s(rule) - EVERY_S))
    assert stage.told == []
    stage.play(("bad", EVERY_S))
    assert [what for _, what in stage.told] == [FIRING]


@pytest.mark.parametrize("rule", BUILT_IN, ids=named)
def test_another_leader_before_each_beat_changes_nothing_that_people_hear(rule: Rule) -> None:
    """Restart and failover alike: all that goes on is what is written down."""
    story: list[Past] = [("calm", 30), ("bad", bad_s(rule) + 30), ("calm", beats(rule.keep_s) + 30)]
    if WAYS[rule.name].gap:
        story[2:2] = [("gap", 60), ("bad", 30)]
    once = Stage(rule).play(*story)
    always = Stage(rule, restarts=True).play(*story)
    assert always.told == once.told
    assert always.states == once.states
    assert [what for _, what in once.told] == [FIRING, RESOLVED]


@pytest.mark.parametrize("rule", BUILT_IN, ids=named)
@pytest.mark.parametrize("skew_s", [90, 86_400])
def test_clocks_of_hosts_that_are_off_change_nothing(rule: Rule, skew_s: int) -> None:
    story: list[Past] = [("calm", 30), ("bad", bad_s(rule) + 30), ("calm", beats(rule.keep_s) + 30)]
    assert Stage(rule, skew_ms=skew_s * 1000).play(*story).told == Stage(rule).play(*story).told


@pytest.mark.parametrize("rule", FLAPPING, ids=named)
def test_what_flaps_is_told_a_few_times_only(rule: Rule) -> None:
    cycle: list[Past] = [("bad", bad_s(rule)), ("calm", beats(rule.keep_s) + EVERY_S)]
    stage = Stage(rule).play(("calm", 30), *(cycle * 10))
    assert 2 <= [what for _, what in stage.told].count(FIRING) <= 4


@pytest.mark.parametrize("rule", BUILT_IN, ids=named)
def test_what_is_silenced_is_told_when_the_silence_ends_if_it_still_fires_and_never_if_it_does_not(rule: Rule) -> None:
    silent_s = 30 + bad_s(rule) + 60
    quiet = Silence(
        author="ops",
        reason="a story",
        starts_ms=NOON_MS,
        ends_ms=NOON_MS + silent_s * 1000,
        where=Where(),
        rule=(rule.name,),
    )
    stage = Stage(rule, silences=[quiet]).play(("calm", 30), ("bad", bad_s(rule) + 120))
    assert stage.told == [(silent_s, FIRING)]
    over = Stage(rule, silences=[quiet]).play(("calm", 30), ("bad", bad_s(rule)), ("calm", beats(rule.keep_s) + 300))
    assert over.told == []
