"""What people would have been told."""

from collections.abc import Iterable, Sequence

from collector.alerts.playing import Report, rounds
from collector.alerts.rules import Rule
from collector.alerts.silences import Silence
from collector.alerts.watch import Watch
from collector.alerts.where import Place, Where
from collector.replay.tidings import Tidings, ToldShape
from collector.replay.timeline import Timeline
from tests.builders import NOON_MS, a_pool, a_reading, a_snapshot

HOT = Rule(name="hot", severity="page", raise_at=0.85, channels=("pager",))
BACKEND = a_pool(8080, local="10.0.3.7", peer="10.0.9.21")
HOUR_MS = 3_600_000


def told(held: Sequence[int], *, hosts: int = 2, from_s: int = 0, silences: Sequence[Silence] = ()) -> list[ToldShape]:
    """Each of the hosts holds so many ports to one backend, another number each ten seconds."""
    watch = Watch([HOT], ())
    timeline = Timeline(NOON_MS + from_s * 1_000, Where(), silences, watch.place_for)
    tidings = Tidings(watch, timeline, channels_of, silences)
    reports = [
        a_report(NOON_MS + number * 10_000, host, ports) for number, ports in enumerate(held) for host in range(hosts)
    ]
    moments = range(NOON_MS, NOON_MS + len(held) * 10_000, 1_000)
    return [one for played in rounds(watch, reports, moments) for one in tidings.of(played)]


def a_report(at_ms: int, host: int, held: int) -> Report:
    place, name = Place(host=f"lb{host}", role="edge"), f"lb{host}"
    snapshot = a_snapshot(a_reading(held, pool=BACKEND), host=name)
    return Report(at_ms=at_ms, place=place, host_id=host, interval_ms=10_000, read=lambda _is_whole: snapshot)


def channels_of(severity: str, rules: Iterable[Rule | None]) -> tuple[str, ...]:
    return ("log", *(f"{name}-{severity}" for rule in rules if rule for name in rule.channels[:1]))[:2]


def a_silence(*, ends_s: int, created_s: int = 0) -> Silence:
    return Silence(
        author="ops",
        reason="upgrade",
        starts_ms=NOON_MS - HOUR_MS,
        ends_ms=NOON_MS + ends_s * 1_000,
        where=Where(role=("edge",)),
        created_ms=NOON_MS + created_s * 1_000,
    )


def words(notices: Iterable[ToldShape]) -> list[tuple[int, str]]:
    return [((one["at_ms"] - NOON_MS) // 1_000, one["telling"]) for one in notices]


def test_one_cause_is_one_notice_with_its_hosts_and_whom_it_reaches() -> None:
    [one] = told([270])
    assert (one["telling"], one["severity"], one["cause"]) == ("firing", "page", "backend 10.0.9.21:8080")
    assert (one["hosts"], one["alerts"], one["rule"], one["since_ms"]) == (2, 2, "hot", NOON_MS)
    assert one["channels"] == ["log", "pager-page"]
    assert one["summary"].endswith("30 left (one of 2 alerts on 2 hosts: backend 10.0.9.21:8080)")
    assert one["first"] == "lb0: 10.0.3.7 -> 10.0.9.21:8080 holds 270 of 300 ports (90 %), 30 left"


def test_one_that_stands_alone_is_first_of_nobody() -> None:
    [one] = told([270], hosts=1)
    assert (one["first"], one["hosts"]) == (None, 1)


def test_the_end_is_told_once_and_what_began_before_the_window_is_not_told_in_it() -> None:
    assert words(told([270, 270, 10, 10])) == [(0, "firing"), (20, "resolved")]
    assert words(told([270, 270, 10, 10], from_s=5)) == [(20, "resolved")]


def test_what_was_silenced_is_told_when_the_silence_ends_and_never_where_it_is_over_by_then() -> None:
    assert words(told([270, 270, 270], silences=[a_silence(ends_s=15)])) == [(15, "firing")]
    assert told([270, 10, 10], silences=[a_silence(ends_s=15)]) == []


def test_a_silence_that_was_not_yet_made_held_nothing_back() -> None:
    assert words(told([270, 270], silences=[a_silence(ends_s=60, created_s=5)])) == [(0, "firing")]
