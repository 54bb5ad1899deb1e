"""What the last minutes of a pool tell."""

from collections.abc import Mapping
from dataclasses import replace

from collector.alerts.trail import Seen, changes, fixes, follow, logged, rate_per_s
from shared.model import Evidence, Remainder, Snapshot
from shared.ports import PortRange
from shared.tcp import State
from tests.builders import NOON_MS, a_failure, a_namespace, a_pool, a_reading, a_snapshot


def trail(*helds: int, states: Mapping[State, int] | None = None, every_s: int = 10) -> list[Seen]:
    snapshots = [
        (NOON_MS + number * every_s * 1000, a_snapshot(a_reading(held, states=states), seq=number))
        for number, held in enumerate(helds)
    ]
    return follow(snapshots, a_pool())


def test_a_rate_is_from_the_first_to_the_last() -> None:
    assert rate_per_s(trail(100, 150, 300)) == 10.0
    assert rate_per_s(trail(300, 100)) == -20.0


def test_of_one_reading_nobody_can_tell_a_rate() -> None:
    assert rate_per_s(trail(100)) is None
    assert rate_per_s([]) is None
    assert changes(trail(100)) == ()
    assert fixes([]) == ()


def test_what_a_snapshot_cannot_tell_is_left_out() -> None:
    partial = a_snapshot(namespaces=[a_namespace(remainder=Remainder(1, 9, 9))])
    snapshots: list[tuple[int, Snapshot]] = [(1, a_failure()), (2, partial), (3, a_snapshot(a_reading(7)))]
    assert [seen.at_ms for seen in follow(snapshots, a_pool())] == [3]


def test_the_state_that_grew_most_is_named() -> None:
    before = replace(trail(100)[0], reading=a_reading(100, states={State.ESTABLISHED: 90, State.TIME_WAIT: 10}))
    after = replace(trail(0, 200)[1], reading=a_reading(200, states={State.ESTABLISHED: 95, State.TIME_WAIT: 105}))
    assert changes([before, after]) == ("TIME_WAIT rose from 10 to 105 in 10 s",)


def test_settings_and_restarts_are_named() -> None:
    narrow = a_snapshot(
        a_reading(100), seq=2, boot_id="boot-2", namespaces=[a_namespace(ports=PortRange(40_000, 40_099))]
    )
    found = follow([(NOON_MS, a_snapshot(a_reading(100))), (NOON_MS + 9_000, narrow)], a_pool())
    assert changes(found) == ("ip_local_port_range was 40000–40299, is 40000–40099", "the host was restarted")


def test_fixes_are_those_of_the_agent() -> None:
    titles = [option.title for option in fixes(trail(290))]
    assert titles[0] == "one more backend address or port beside 127.0.0.1:9001"
    assert any(title.startswith("widen the range") for title in titles)


def test_the_same_words_are_counted_together_and_what_is_of_no_pool_stays_apart() -> None:
    ours = Evidence(a_pool(), "haproxy", "no free ports", 3, NOON_MS)
    other = Evidence(a_pool(9), "haproxy", "no free ports", 9, NOON_MS)
    nobodys = Evidence(None, "nginx", "(99: Cannot assign requested address)", 1, NOON_MS)
    first = replace(a_snapshot(), evidence=(ours, other))
    second = replace(a_snapshot(), evidence=(replace(ours, count=9, last_at_ms=NOON_MS + 7), nobodys))

    assert logged([first, second], a_pool()) == (replace(ours, count=12, last_at_ms=NOON_MS + 7),)
    assert logged([first, second], None) == (nobodys,)
