"""Roll-ups against a recomputation by hand."""

from collections import defaultdict

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from collector.history.chunk import INSTANTS, NAMESPACES, POOLS, Chunk
from collector.history.codec import decode, encode
from collector.history.rollup import PEAK_SCALE, joined, kept, peaks_of, rolled, rolled_again
from shared.model import Remainder, Snapshot
from tests.builders import NOON_MS, a_failure, a_namespace, a_pool, a_reading, a_snapshot
from tests.columns import gathered, numbered

POOL = a_pool()
HELD = st.lists(st.one_of(st.none(), st.integers(0, 300)), min_size=1, max_size=40)


def story(held: list[int | None], every_ms: int = 7_000) -> list[Snapshot]:
    """One pool; None: not listed, in a namespace that is not listed completely."""
    return [
        a_snapshot(
            *([a_reading(count)] if count is not None else []),
            seq=number,
            taken_at_ms=NOON_MS + number * every_ms,
            namespaces=[a_namespace(remainder=Remainder(1, 1, 1))],
        )
        for number, count in enumerate(held)
    ]


def in_minutes(*snapshots: Snapshot) -> Chunk:
    ids = numbered(*snapshots)
    return decode(encode(rolled([gathered(*snapshots)], 60_000, {number: pool for pool, number in ids.items()})))


def rows(chunk: Chunk, *columns: str) -> dict[int, tuple[int, ...]]:
    """The only pool's numbers by step."""
    table = chunk.tables[POOLS]
    if not len(table.keys):
        return {}
    picked = np.stack([table.column(name)[0] for name in columns])
    return {
        int(at): tuple(picked[:, step].tolist())
        for step, at in enumerate(chunk.times.tolist())
        if table.present[0, step]
    }


def by_hand(held: list[int | None], step_ms: int, every_ms: int = 7_000) -> dict[int, tuple[int, ...]]:
    steps = defaultdict(list)
    for number, count in enumerate(held):
        if count is not None:
            at = NOON_MS + number * every_ms
            steps[at - at % step_ms].append(count)
    return {at: (len(all_), min(all_), sum(all_), max(all_)) for at, all_ in steps.items()}


@given(HELD)
def test_a_minute_keeps_what_its_snapshots_say(held: list[int | None]) -> None:
    assert rows(in_minutes(*story(held)), "count", "held.min", "held.sum", "held.max") == by_hand(held, 60_000)


@given(HELD)
def test_an_hour_of_minutes_is_an_hour_of_snapshots(held: list[int | None]) -> None:
    hours = rolled_again([in_minutes(*story(held, 300_000))], 3_600_000)
    assert rows(hours, "count", "held.min", "held.sum", "held.max") == by_hand(held, 3_600_000, 300_000)


def test_a_pool_not_listed_in_a_complete_namespace_held_nothing() -> None:
    story = [a_snapshot(a_reading(90)), a_snapshot(seq=2, taken_at_ms=NOON_MS + 1)]
    assert rows(in_minutes(*story), "count", "held.min", "held.sum", "capacity.max", "headroom_min.min") == {
        NOON_MS: (2, 0, 90, 300, 210)
    }


def test_a_failed_sample_is_a_gap_and_counted() -> None:
    chunk = in_minutes(a_snapshot(a_reading(9)), a_failure(seq=2, taken_at_ms=NOON_MS + 60_000))
    assert rows(chunk, "held.max") == {NOON_MS: (9,)}
    assert chunk.tables[INSTANTS].column("failed.sum").tolist() == [[0, 1]]
    assert chunk.tables[INSTANTS].column("count").tolist() == [[1, 1]]


def test_remainders_and_totals_are_kept() -> None:
    story = [
        a_snapshot(seq=seq, taken_at_ms=NOON_MS + seq, namespaces=[a_namespace(remainder=Remainder(2, held, held - 1))])
        for seq, held in enumerate((8, 40))
    ]
    table = in_minutes(*story).tables[NAMESPACES]
    assert [table.column(f"rest_held.{way}").tolist() for way in ("min", "sum", "max")] == [[[8]], [[48]], [[40]]]
    assert table.column("complete.sum").tolist() == [[0]]
    assert table.column("count").tolist() == [[2]]


def test_a_peak_under_a_smaller_capacity_is_the_peak() -> None:
    chunk = in_minutes(a_snapshot(a_reading(90, 100)), a_snapshot(a_reading(150, 300), seq=2, taken_at_ms=NOON_MS + 1))
    assert rows(chunk, "held.max", "peak.max") == {NOON_MS: (150, -(-90 * PEAK_SCALE // 100))}


def test_peaks_are_rounded_up_and_a_pool_without_ports_is_full() -> None:
    held, capacity = np.array([0, 1, 28_231, 28_232, 5]), np.array([65_535, 65_535, 28_232, 28_232, 0])
    assert peaks_of(held, capacity).tolist() == [0, 1, PEAK_SCALE - 2, PEAK_SCALE, PEAK_SCALE]


def test_chunks_after_one_another_are_one() -> None:
    first, second = (
        in_minutes(a_snapshot(a_reading(1))),
        in_minutes(a_snapshot(a_reading(2), taken_at_ms=NOON_MS + 60_000)),
    )
    whole = joined([first, second])
    assert rows(whole, "held.max") == {NOON_MS: (1,), NOON_MS + 60_000: (2,)}
    assert whole.texts[whole.tables[NAMESPACES].keys[0]] == "host"


def test_where_something_is_lost_the_step_made_of_more_snapshots_stays() -> None:
    old = in_minutes(*story([10, 20], 30_000), *story([None, None, None, 7], 30_000)[3:])
    poorer, richer = in_minutes(a_snapshot(a_reading(99))), in_minutes(*story([1, 2, 3], 20_000))
    whole = [(NOON_MS, NOON_MS + 600_000)]
    assert rows(kept(old, poorer, whole), "count", "held.max") == {NOON_MS: (2, 20), NOON_MS + 60_000: (1, 7)}
    assert rows(kept(old, richer, whole), "count", "held.max") == {NOON_MS: (3, 3), NOON_MS + 60_000: (1, 7)}
    assert kept(old, poorer, []) == poorer
    assert kept(old, kept(old, poorer, whole), whole) == kept(old, poorer, whole)
