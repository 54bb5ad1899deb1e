"""Coarser chunks from the bytes of finer ones."""

import tracemalloc

import numpy as np

from collector.history import codec
from collector.history.chunk import INSTANTS, POOLS, Chunk, Table
from collector.history.coarsen import Before, coarser
from collector.history.rollup import rolled, rolled_again
from collector.history.tiers import HOUR, HOUR_MS, MINUTE, MINUTE_MS, RAW
from shared.model import Snapshot
from tests.builders import NOON_MS, a_pool, a_reading, a_snapshot
from tests.columns import gathered, numbered

NAMED = {1: a_pool()}
COUNT = 4


def story(held: int) -> list[list[Snapshot]]:
    """A raw chunk each: one minute of it is known."""
    return [
        [a_snapshot(a_reading(held + number), seq=number, taken_at_ms=NOON_MS + number * RAW.span_ms)]
        for number in range(COUNT)
    ]


def finer(held: int = 10) -> list[tuple[int, bytes]]:
    return [
        (NOON_MS + number * RAW.span_ms, codec.encode(gathered(*some, ids=numbered(*some))))
        for number, some in enumerate(story(held))
    ]


def highest(body: bytes | None) -> list[int]:
    assert body
    column: list[int] = codec.decode(body).tables[POOLS].column("held.max")[0].tolist()
    return column


def test_it_is_what_all_of_them_come_to_at_once() -> None:
    body, unreadable = coarser(MINUTE, finer(), NAMED, Before())
    assert unreadable == {}
    assert body
    assert codec.decode(body) == rolled([codec.decode(one) for _, one in finer()], MINUTE_MS, NAMED)
    hours, _ = coarser(HOUR, [(NOON_MS, body)], NAMED, Before())
    assert hours
    assert codec.decode(hours) == rolled_again([codec.decode(body)], HOUR_MS)


def test_what_cannot_be_read_is_named_and_the_rest_is_made() -> None:
    bodies = finer()
    bodies[1] = (bodies[1][0], b"PGH1")
    body, unreadable = coarser(MINUTE, bodies, NAMED, Before())
    assert list(unreadable) == [NOON_MS + RAW.span_ms]
    assert highest(body) == [10, 12, 13]


def test_of_nothing_nothing_is_made() -> None:
    assert coarser(MINUTE, [], NAMED, Before()) == (None, {})
    body, unreadable = coarser(MINUTE, [(NOON_MS, b"noise")], NAMED, Before(b"anything"))
    assert (body, list(unreadable)) == (None, [NOON_MS])


def test_what_was_made_before_a_chunk_broke_or_went_stays() -> None:
    before, _ = coarser(MINUTE, finer(), NAMED, Before())
    broken = [(finer()[0][0], b"PGH1"), *finer(50)[2:]]
    body, _ = coarser(MINUTE, broken, NAMED, Before(before, {NOON_MS + RAW.span_ms}))
    assert highest(body) == [10, 11, 52, 53]
    body, _ = coarser(MINUTE, broken, NAMED, Before(b"PGH1", {NOON_MS + RAW.span_ms}))
    assert highest(body) == [52, 53]


def a_minute_chunk(pools: int, from_ms: int) -> Chunk:
    steps = MINUTE.span_ms // MINUTE_MS
    columns = ("count", "held.min", "held.sum", "held.max", "capacity.min", "capacity.max", "peak.max")
    values = np.random.default_rng(pools).integers(0, 28_000, (len(columns), pools, steps))
    times = from_ms + np.arange(steps) * MINUTE_MS
    listed = Table(np.arange(1, pools + 1), columns, np.ones((pools, steps), np.bool_), values)
    instants = Table(np.zeros(1, np.int64), ("count",), np.ones((1, steps), np.bool_), np.ones((1, 1, steps), np.int64))
    return Chunk(times, (), {INSTANTS: instants, POOLS: listed})


def test_of_a_host_with_many_pools_no_more_than_a_few_chunks_are_in_memory_at_a_time() -> None:
    """There are twenty, and to encode one took seven times its room."""
    bodies = [codec.encode(a_minute_chunk(200, NOON_MS + number * MINUTE.span_ms)) for number in range(20)]
    size = codec.decode(bodies[0]).tables[POOLS].values.nbytes
    tracemalloc.start()
    try:
        coarser(HOUR, [(NOON_MS + n * MINUTE.span_ms, body) for n, body in enumerate(bodies)], {}, Before())
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 5 * size
