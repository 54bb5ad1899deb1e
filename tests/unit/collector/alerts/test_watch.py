"""Everything that is watched, fed with snapshots and time."""

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from collector.alerts.builtin import BUILT_IN
from collector.alerts.evaluate import Case, Key, Verdict
from collector.alerts.rules import Rule
from collector.alerts.step import FLAP_FORGET_MS, AlertState
from collector.alerts.watch import Watch
from collector.alerts.where import Place
from collector.alerts.words import describe
from shared.model import Snapshot, Unreadable
from shared.ports import PortRange
from tests.builders import NOON_MS, a_failure, a_namespace, a_pool, a_reading, a_snapshot

SILENT = Rule(name="silent", severity="page", subject="host", condition="silent", hold_s=20)
BLIND = Rule(name="blind", severity="plan", subject="host", condition="blind")
DRIFT = Rule(name="drift", severity="plan", subject="host", condition="drift", hold_s=60)
HOT = Rule(name="hot", severity="page", raise_at=0.85, clear_at=0.75)
PRESSED = Rule(
    name="pressed", severity="page", subject="peer", condition="pressed-by-hosts", level=0.7, raise_at=2, clear_at=1
)
UNTOLD = Rule(name="untold", severity="page", subject="channel", condition="undelivered", raise_at=60, clear_at=1)
HALTED = Rule(name="halted", severity="plan", subject="rollout", condition="halted")


class Told:
    """A watch, and what it said since it was last asked, as `rule subject: state`."""

    def __init__(self, *rules: Rule, cases: Sequence[Case] = ()) -> None:
        self.watch = Watch(rules, cases)
        self.ids: dict[str, int] = {}

    def report(self, snapshot: Snapshot, second: float, host: str = "lb1") -> list[str]:
        host_id = self.ids.setdefault(host, len(self.ids))
        place = Place(host=host, role="edge")
        now_ms = NOON_MS + round(second * 1000)
        return said(self.watch.take(place, replace(snapshot, host=host), 10_000, now_ms, host_id=host_id))

    def at(self, second: float, undelivered: dict[str, float] | None = None) -> list[str]:
        return said(self.watch.tick(NOON_MS + round(second * 1000), undelivered))


def said(verdicts: Sequence[Verdict]) -> list[str]:
    moved = (verdict for verdict in verdicts if verdict.transition)
    return [f"{one.case.rule} {one.case.subject.name}: {one.case.alert.state}" for one in moved]


BACKEND = a_pool(peer="10.0.9.21")


def hot(seq: int = 1) -> Snapshot:
    return a_snapshot(a_reading(290, pool=BACKEND), seq=seq)


def test_a_host_is_silent_after_three_intervals_and_told_after_the_hold() -> None:
    told = Told(SILENT)
    told.report(a_snapshot(), 0)
    assert told.at(30) == []
    assert told.at(30.1) == ["silent lb1: pending"]
    assert told.at(49) == []
    assert told.at(50.1) == ["silent lb1: firing"]
    assert told.at(51) == []
    assert told.report(a_snapshot(seq=2), 60) == ["silent lb1: ok"]


def test_a_report_in_time_moves_the_deadline() -> None:
    told = Told(SILENT)
    told.report(a_snapshot(), 0)
    told.report(a_snapshot(seq=2), 25)
    assert told.at(31) == []
    assert told.at(56) == ["silent lb1: pending"]


def test_silence_makes_pools_unknown_and_hides_nothing() -> None:
    told = Told(HOT, SILENT)
    assert told.report(hot(), 0) == ["hot lb1: firing"]
    assert told.at(31) == ["hot lb1: unknown", "silent lb1: pending"]
    assert [case.alert.fired_ms for case in told.watch.cases if case.rule == "hot"] == [NOON_MS]
    assert told.report(hot(2), 40) == ["hot lb1: firing", "silent lb1: ok"]


def test_a_blind_agent_is_not_silent() -> None:
    told = Told(SILENT, BLIND)
    assert told.report(a_failure(), 0) == ["blind lb1: firing"]
    assert told.at(20) == []
    assert told.at(31) == ["silent lb1: pending", "blind lb1: unknown"]
    assert told.report(a_snapshot(seq=2), 40) == ["silent lb1: ok", "blind lb1: ok"]


def test_a_body_that_cannot_be_read_is_blindness() -> None:
    told = Told(BLIND)
    told.report(a_snapshot(), 0)
    verdicts = told.watch.take(Place(host="lb1"), None, 10_000, NOON_MS + 1, host_id=0)
    assert said(verdicts) == ["blind lb1: firing"]


def test_a_host_that_drifted_is_told_after_its_hold_and_resolved_once_it_is_like_the_others() -> None:
    narrow = a_snapshot(namespaces=[a_namespace(ports=PortRange(40_000, 40_099))])
    told = Told(DRIFT)
    heard = []
    for second in (0, 10, 60):
        for host in ("lb1", "lb2"):
            heard += told.report(a_snapshot(), second, host)
        heard += told.report(narrow, second, "lb3") + told.at(second)
    assert heard == ["drift lb3: pending", "drift lb3: firing"]
    told.report(a_snapshot(), 70, "lb3")
    assert told.at(70) == ["drift lb3: ok"]


def test_a_backend_many_press_on_is_told_and_silence_does_not_resolve_it() -> None:
    told = Told(PRESSED)
    told.report(hot(), 0, "lb1")
    assert told.at(0) == []
    told.report(hot(), 0, "lb2")
    assert told.at(1) == ["pressed 10.0.9.21:9001: firing"]
    assert told.at(40) == ["pressed 10.0.9.21:9001: unknown"]
    told.report(a_snapshot(seq=2), 41, "lb1")
    told.report(a_snapshot(seq=2), 41, "lb2")
    assert told.at(42) == ["pressed 10.0.9.21:9001: ok"]


def test_a_channel_that_takes_nothing_is_an_alert() -> None:
    told = Told(UNTOLD)
    assert told.at(0, {"ops": 0.0}) == []
    assert told.at(1, {"ops": 61.0}) == ["untold ops: firing"]
    assert told.at(2) == []
    assert told.at(3, {"ops": 0.0}) == ["untold ops: ok"]


def test_a_channel_that_is_no_longer_configured_fails_no_more() -> None:
    told = Told(UNTOLD)
    told.at(1, {"ops": 61.0})
    assert told.at(2, {}) == ["untold ops: ok"]


def test_whatever_rules_are_taken_away_their_alerts_resolve() -> None:
    before = Told(HOT, BLIND, UNTOLD)
    before.report(hot(), 0)
    before.report(a_failure(), 1, "lb2")
    before.at(2, {"ops": 61.0})
    after = Told(cases=list(before.watch.cases))
    heard = after.at(3, {}) + after.report(hot(2), 4) + after.report(a_failure(seq=2), 5, "lb2")
    assert sorted(heard) == ["blind lb2: ok", "hot lb1: ok", "untold ops: ok"]


def test_a_restart_goes_on_where_it_was() -> None:
    first = Told(HOT, SILENT)
    first.report(hot(), 0)
    second = Told(HOT, SILENT, cases=list(first.watch.cases))
    second.watch.restore(Place(host="lb1", role="edge"), hot(), NOON_MS, 10_000, failure=None, host_id=0)
    assert second.at(5) == []
    assert second.at(31) == ["hot lb1: unknown", "silent lb1: pending"]


def test_a_host_recalled_as_blind_is_blind() -> None:
    told = Told(BLIND)
    told.watch.restore(Place(host="lb1"), hot(), NOON_MS, 10_000, failure="no netlink", host_id=0)
    assert told.watch.place_of(0) == Place(host="lb1")
    assert told.watch.place_of(1) is None
    told.report(a_failure(seq=2), 1)
    assert [case.alert.state for case in told.watch.cases] == [AlertState.FIRING]


def test_what_rests_is_forgotten_in_time() -> None:
    told = Told(HOT)
    told.report(hot(), 0)
    told.report(a_snapshot(seq=2), 10)
    told.at(20)
    assert len(list(told.watch.cases)) == 1
    told.report(a_snapshot(seq=3), FLAP_FORGET_MS / 1000)
    told.at(FLAP_FORGET_MS / 1000 + 1)
    assert list(told.watch.cases) == []


def test_the_built_in_rules_say_nothing_of_a_calm_fleet() -> None:
    told = Told(*BUILT_IN)
    for second in range(0, 120, 10):
        for number in range(5):
            assert told.report(a_snapshot(a_reading(100, pool=a_pool(80))), second, f"lb{number}") == []
        assert told.at(second, {"log": 0.0}) == []


def test_a_rollout_that_halts_is_told_until_a_person_decides() -> None:
    told = Told(HALTED)
    assert told.at(0) == []
    assert said(told.watch.tick(NOON_MS + 1_000, halted={"3": "lb1 was restarted"})) == ["halted 3: firing"]
    assert [describe(case) for case in told.watch.fired] == ["rollout 3 has halted: lb1 was restarted"]
    assert said(told.watch.tick(NOON_MS + 2_000, halted={"3": "lb1 was restarted"})) == []
    assert told.at(3) == ["halted 3: ok"]


def test_of_a_host_that_is_forgotten_nothing_is_watched_until_it_reports() -> None:
    told = Told(HOT, SILENT, DRIFT)
    told.report(hot(), 0)
    told.at(60)
    told.at(90)
    ended = said(told.watch.forget("lb1", NOON_MS + 100_000))
    assert sorted(ended) == ["hot lb1: gone", "silent lb1: gone"]
    assert (list(told.watch.cases), list(told.watch.fired), told.watch.place_of(0)) == ([], [], None)
    assert told.at(500) == []
    assert said(told.watch.forget("lb1", NOON_MS)) == []
    assert told.report(hot(2), 600) == ["hot lb1: firing"]


SHARE = Rule(
    name="share", severity="plan", subject="fleet", condition="share-above", level=0.5, raise_at=0.5, clear_at=0.2
)
reports = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 300), st.sampled_from([0, 5]), st.booleans(), st.integers(1, 40)),
    max_size=25,
)


@given(reports)
def test_what_is_kept_between_ticks_is_what_one_made_anew_finds(
    story: Sequence[tuple[int, int, int, bool, int]],
) -> None:
    rules = [HOT, SILENT, BLIND, DRIFT, PRESSED, SHARE]
    watch, now_ms = Watch(rules, ()), NOON_MS
    good: dict[str, Snapshot] = {}
    heard: dict[str, tuple[int, str | None]] = {}
    for seq, (number, held, reserved, fails, passed_s) in enumerate(story):
        now_ms, host = now_ms + passed_s * 1000, f"lb{number}"
        fresh = a_snapshot(
            a_reading(held, pool=BACKEND), host=host, seq=seq, namespaces=[a_namespace(reserved=reserved)]
        )
        snapshot = replace(a_failure(), host=host, seq=seq) if fails else fresh
        watch.take(place_of(host), snapshot, 10_000, now_ms, host_id=number)
        good |= {} if fails else {host: fresh}
        heard[host] = (now_ms, snapshot.failure)

        anew = Watch(rules, list(watch.cases))
        for name, (last_ms, failure) in heard.items():
            anew.restore(
                place_of(name), good.get(name), last_ms, 10_000, failure=failure, host_id=int(name.removeprefix("lb"))
            )
        assert by_key(watch.tick(now_ms + 500)) == by_key(anew.tick(now_ms + 500))


def by_key(verdicts: Sequence[Verdict]) -> dict[Key, Verdict]:
    return {one.case.key: one for one in verdicts}


def place_of(host: str) -> Place:
    return Place(host=host, role="edge")


POD = a_pool(peer="10.0.9.21", netns="web-1")
IN_A_POD = a_snapshot(a_reading(290, pool=POD), namespaces=[a_namespace(), a_namespace("web-1")])
WITHOUT = a_snapshot(a_reading(10))
HALF_SEEN = replace(WITHOUT, unreadable=(Unreadable(1, "it needs CAP_SYS_ADMIN"),))


def every_ten_seconds(told: Told, snapshot: Snapshot, seconds: range) -> list[str]:
    """What is said while a host reports the same."""
    return [line for second in seconds[::10] for line in (*told.report(snapshot, second), *told.at(second))]


def test_what_is_about_a_namespace_that_has_ended_is_unknown_and_after_ten_minutes_gone() -> None:
    """A pod that was killed while its pool was full does not page for ever."""
    told = Told(HOT)
    assert told.report(IN_A_POD, 0) == ["hot lb1: firing"]
    assert every_ten_seconds(told, WITHOUT, range(10, 610)) == ["hot lb1: unknown"]
    assert list(told.watch.fired)
    assert every_ten_seconds(told, WITHOUT, range(610, 700)) == ["hot lb1: gone"]
    assert list(told.watch.cases) == []
    assert told.report(IN_A_POD, 700) == ["hot lb1: firing"]


def test_a_namespace_that_may_only_be_out_of_sight_has_not_ended() -> None:
    told = Told(HOT)
    told.report(IN_A_POD, 0)
    assert every_ten_seconds(told, HALF_SEEN, range(10, 3_600)) == ["hot lb1: unknown"]


def test_only_time_in_which_the_host_reports_all_it_has_counts() -> None:
    told = Told(HOT, SILENT)
    told.report(IN_A_POD, 0)
    every_ten_seconds(told, WITHOUT, range(10, 600))
    assert "silent lb1: firing" in [line for second in range(600, 700) for line in told.at(second)]
    assert "gone" not in " ".join(every_ten_seconds(told, WITHOUT, range(700, 1_300)))
    assert "gone" in " ".join(every_ten_seconds(told, WITHOUT, range(1_300, 1_320)))


def test_what_was_calm_when_its_namespace_ended_is_no_case_for_ever() -> None:
    told = Told(HOT)
    told.report(IN_A_POD, 0)
    told.report(replace(IN_A_POD, readings=(a_reading(5, pool=POD),)), 10)
    every_ten_seconds(told, WITHOUT, range(20, 640))
    assert list(told.watch.cases) == []
