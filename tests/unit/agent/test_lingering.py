"""Cookies tell what explicit binders left behind."""

from hypothesis import given
from hypothesis import strategies as st

from agent import lingering
from agent.lingering import MOST, Lingering, stretches


def test_who_is_gone_lingers_as_long_as_its_cookie_is_found() -> None:
    memory = Lingering()

    assert memory.meet({1: 40_001, 2: 40_002}) == frozenset()
    assert memory.meet({2: 40_002}) == {40_001}
    assert memory.settle([1, 99]) == {40_001}
    assert memory.meet({}) == {40_001, 40_002}
    assert memory.settle([2]) == {40_002}
    assert not memory.is_empty
    assert memory.settle([]) == frozenset()
    assert memory.is_empty


def test_a_stranger_on_the_same_port_is_not_taken_for_the_binder() -> None:
    memory = Lingering()
    memory.meet({1: 40_001})
    memory.meet({})

    assert memory.settle([7]) == frozenset()


def test_no_more_is_remembered_than_fits() -> None:
    memory = Lingering()
    memory.meet(dict.fromkeys(range(2 * MOST), 40000))

    memory.meet({})

    assert len(memory._gone) == lingering.MOST


@given(st.sets(st.integers(1, 300)), st.integers(1, 20))
def test_stretches_cover_the_ports_and_are_no_more_than_wanted(ports: set[int], most: int) -> None:
    ranges = stretches(ports, most)

    assert len(ranges) <= most
    assert all(any(port in one for one in ranges) for port in ports)
    if len(ranges) < most:
        assert {port for one in ranges for port in one.ports} == ports
