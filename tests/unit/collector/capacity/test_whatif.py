"""What is added takes its share of the load, where it can."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.capacity.growth import Growth, Tendency
from collector.capacity.needs import DAY_MS, Standing, outlook
from collector.capacity.whatif import Change, changed
from shared.model import Kind, Pool
from tests.builders import a_pool

GROWING = Growth(
    trend=Tendency.GROWING, why="", peak=20_000, known_days=84, slowest=90, per_day=100, fastest=110, reach_days=252
)


def a_standing(pool: Pool | None = None, **counts: int) -> Standing:
    return Standing(
        host="lb1",
        role="edge",
        pool=pool or a_pool(),
        capacity=28_000,
        growth=GROWING,
        page_share=0.85,
        **counts,
    )


def test_a_backend_more_takes_its_share() -> None:
    found = changed(a_standing(backends=4), Change(backends=1))

    assert (found.growth.peak, found.growth.per_day, found.backends) == (16_000, 80, 5)


def test_backends_and_addresses_multiply() -> None:
    found = changed(a_standing(backends=1, sources=1), Change(backends=1, sources=1))

    assert found.growth.peak == 5_000


@pytest.mark.parametrize(("kind", "peak"), [(Kind.BIND, 10_000), (Kind.UDP, 20_000)])
def test_what_does_not_help_changes_nothing(kind: Kind, peak: int) -> None:
    found = changed(a_standing(Pool("host", kind, b"\x7f\0\0\1")), Change(backends=1, sources=1))

    assert found.growth.peak == peak


def test_a_wider_range_is_another_capacity() -> None:
    assert changed(a_standing(), Change(), 60_000).capacity == 60_000


@given(st.integers(1, 10), st.integers(0, 10), st.integers(0, 10))
def test_adding_never_brings_the_day_nearer(backends: int, more: int, addresses: int) -> None:
    standing = a_standing(backends=backends)
    last_day_ms = 20_000 * DAY_MS

    before = outlook(standing, 90, last_day_ms)
    after = outlook(changed(standing, Change(backends=more, sources=addresses)), 90, last_day_ms)

    assert before.full
    assert after.full is None or after.full.at_ms >= before.full.at_ms
