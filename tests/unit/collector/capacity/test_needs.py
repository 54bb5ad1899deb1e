"""Dates and needs follow from growth by sums that can be read."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from collector.capacity.growth import Growth, Tendency
from collector.capacity.needs import DAY_MS, NO_NEEDS, Due, Needs, Standing, outlook
from shared.model import Kind, Pool
from tests.builders import a_pool

TODAY_MS = 20_000 * DAY_MS
GROWING = Growth(
    trend=Tendency.GROWING,
    why="seen",
    peak=21_400,
    known_days=84,
    slowest=100,
    per_day=120,
    fastest=150,
    reach_days=252,
)


def a_standing(**facts: object) -> Standing:
    plain = {"host": "lb1", "role": "edge", "pool": a_pool(), "capacity": 28_200, "growth": GROWING, "page_share": 0.85}
    return Standing(**{**plain, **facts})  # type: ignore[arg-type]


def test_a_pool_that_grows_is_told_when_it_pages_and_when_it_is_spent() -> None:
    found = outlook(a_standing(backends=4, sources=2, hosts=10), 90, TODAY_MS)

    assert found.page == Due(*(TODAY_MS + days * DAY_MS for days in (18, 22, 26)))
    assert found.full == Due(*(TODAY_MS + days * DAY_MS for days in (46, 57, 68)))
    assert (found.projected, found.projected_most, found.refused) == (32_200, 34_900, 4_000)
    assert found.needs == Needs(backends=6, destinations=2, sources=3, hosts=14)


def test_the_sums_can_be_read() -> None:
    found = outlook(a_standing(backends=4), 90, TODAY_MS)

    assert found.sums == (
        "peak 21,400 + 90 d × 120.0 a day = 32,200",
        "below 85% of 28,200 ports: 23,969 may be held",
        "backend of this port: 4 × 32,200 ÷ 23,969 → 6",
        "address of this backend: 1 × 32,200 ÷ 23,969 → 2",
        "source address: 1 × 32,200 ÷ 23,969 → 2",
        "host: 1 × 32,200 ÷ 23,969 → 2",
        "doing nothing: 32,200 − 28,200 = 4,000 refused at each peak",
    )


def test_beyond_what_was_seen_nothing_is_said() -> None:
    short = replace(GROWING, reach_days=42)

    found = outlook(a_standing(growth=short), 90, TODAY_MS)

    assert (found.projected, found.refused, found.needs) == (None, None, NO_NEEDS)
    assert "42 days ahead, not of 90" in found.why
    assert found.page, "the page level lies within what may be said"
    assert found.full is None


def test_a_steady_pool_has_no_date() -> None:
    steady = Growth(trend=Tendency.STEADY, why="", peak=20_000, known_days=84)

    found = outlook(a_standing(growth=steady), 90, TODAY_MS)

    assert (found.page, found.full, found.projected, found.refused) == (None, None, 20_000, 0)


def test_what_pages_already_is_due_now() -> None:
    steady = Growth(trend=Tendency.STEADY, why="", peak=27_000, known_days=84)

    assert outlook(a_standing(growth=steady), 90, TODAY_MS).page == Due(TODAY_MS, TODAY_MS, TODAY_MS)


def test_backends_do_not_help_who_binds_first_nor_addresses_udp() -> None:
    bind, udp = (Pool("host", kind, b"\x7f\0\0\1") for kind in (Kind.BIND, Kind.UDP))

    by_bind = outlook(a_standing(pool=bind), 90, TODAY_MS).needs
    by_udp = outlook(a_standing(pool=udp), 90, TODAY_MS).needs

    assert by_bind == Needs(backends=None, destinations=None, sources=2, hosts=2)
    assert by_udp == Needs(backends=None, destinations=None, sources=None, hosts=2)


def test_a_pool_without_a_port_needs_what_nobody_can_say() -> None:
    assert outlook(a_standing(capacity=0), 90, TODAY_MS).needs == NO_NEEDS


@given(st.integers(1, 65_000), st.floats(0.1, 1.0), st.integers(0, 300_000), st.integers(1, 20))
def test_what_is_needed_is_enough_and_one_fewer_is_not(capacity: int, share: float, peak: int, backends: int) -> None:
    steady = Growth(trend=Tendency.STEADY, why="", peak=peak, known_days=84)
    standing = a_standing(growth=steady, capacity=capacity, page_share=share, backends=backends)

    needed = outlook(standing, 90, TODAY_MS).needs.backends

    if needed is None:
        assert standing.allowed == 0
        return
    assert needed >= backends
    assert peak * backends <= needed * standing.allowed
    if needed > backends:
        assert peak * backends > (needed - 1) * standing.allowed
