"""States at the peak, and settings that changed."""

from dataclasses import replace

import pytest

from collector.history.codec import Reader, encode
from collector.history.rollup import rolled
from collector.history.tiers import MINUTE, MINUTE_MS, RAW
from collector.trends.detail import Detail
from collector.trends.window import Window
from shared.model import Snapshot
from shared.ports import PortRange
from shared.tcp import State
from tests.builders import NOON_MS, a_namespace, a_pool, a_reading, a_snapshot
from tests.columns import gathered, numbered

WIDE = replace(a_namespace(reserved=2), settings={"tcp_tw_reuse": 1})
NARROW = replace(a_namespace(ports=PortRange(40_000, 40_199)), settings={"tcp_tw_reuse": 2})
WINDOW = Window(NOON_MS, NOON_MS + 3 * MINUTE_MS, MINUTE_MS)
CHANGES = [
    "ip_local_port_range was 40000–40299, is 40000–40199",
    "reserved ports was 2, is 0",
    "tcp_tw_reuse was 1, is 2",
]


def a_moment(minute: float, established: int, waiting: int, space: object = WIDE) -> Snapshot:
    states = {State.ESTABLISHED: established, State.TIME_WAIT: waiting}
    reading = a_reading(established + waiting, states=states)
    at_ms = NOON_MS + round(minute * MINUTE_MS)
    return a_snapshot(reading, seq=round(minute * 10), taken_at_ms=at_ms, namespaces=[space])  # type: ignore[list-item]


STORY = [a_moment(0, 10, 50), a_moment(0.5, 60, 5), a_moment(1, 20, 0, NARROW), a_moment(1.5, 10, 0, NARROW)]


def test_a_step_tells_the_states_of_its_highest_moment() -> None:
    """Maxima of each state would add up to more than was ever held."""
    detail = Detail(WINDOW)
    for one in reversed(STORY):
        detail.see(one.taken_at_ms, one, a_pool(), one.readings[0])
    assert detail.states() == [
        {"ESTABLISHED": 60, "TIME_WAIT": 5},
        {"ESTABLISHED": 20, "TIME_WAIT": 0},
        {"ESTABLISHED": 0, "TIME_WAIT": 0},
    ]
    assert [str(one) for one in detail.changes()] == CHANGES
    assert {one.at_ms for one in detail.changes()} == {NOON_MS + MINUTE_MS}


@pytest.mark.parametrize(("tier", "first"), [(RAW, {"ESTABLISHED": 60, "TIME_WAIT": 5}), (MINUTE, {"TIME_WAIT": 50})])
def test_a_chunk_tells_what_its_tier_keeps(tier: object, first: dict[str, int]) -> None:
    ids = numbered(*STORY)
    chunk = gathered(*STORY)
    if tier is MINUTE:
        chunk = rolled([chunk], MINUTE_MS, {number: pool for pool, number in ids.items()})
    detail = Detail(WINDOW)
    detail.read(Reader(encode(chunk)), RAW if tier is RAW else MINUTE, ids[a_pool()], "host")
    assert detail.states()[0] == first
    assert [str(one) for one in detail.changes()] == CHANGES


def test_a_change_outside_of_the_window_is_not_told() -> None:
    detail = Detail(Window(NOON_MS + 2 * MINUTE_MS, NOON_MS + 3 * MINUTE_MS, MINUTE_MS))
    for one in STORY:
        detail.see(one.taken_at_ms, one, a_pool(), one.readings[0])
    assert detail.changes() == []


def test_of_a_pool_nobody_listed_nothing_is_told() -> None:
    detail = Detail(WINDOW)
    detail.see(NOON_MS, a_snapshot(), a_pool(), None)
    assert detail.states() == [{}, {}, {}]
