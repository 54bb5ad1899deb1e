"""Probes are remembered, age, and are asked for in turn."""

from hypothesis import given
from hypothesis import strategies as st

from agent.buckets import REMEMBERED_S, Buckets


def test_what_was_told_counts_for_a_while() -> None:
    buckets = Buckets()
    buckets.learn({1: True, 2: False}, 100.0)

    assert buckets.answers(100.0 + REMEMBERED_S) == {1: True, 2: False}
    assert buckets.shut(100.0) == {2}
    assert buckets.answers(100.1 + REMEMBERED_S) == {}


def test_a_newer_answer_replaces_an_older_one() -> None:
    buckets = Buckets()
    buckets.learn({1: False}, 100.0)
    buckets.learn({1: True}, 110.0)

    assert buckets.shut(110.0) == frozenset()


def test_what_is_too_old_is_forgotten_for_good() -> None:
    buckets = Buckets()
    buckets.learn(dict.fromkeys(range(100), True), 0.0)
    buckets.learn({500: True}, REMEMBERED_S + 1)

    assert list(buckets.known) == [500]


@given(st.integers(1, 50), st.integers(1, 20))
def test_a_sweep_asks_for_every_port_before_it_asks_again(ports: int, most: int) -> None:
    buckets, asked = Buckets(), list[int]()
    for second in range(-(-ports // most)):
        due = buckets.due(range(ports), most)
        asked += due
        buckets.learn(dict.fromkeys(due, True), float(second))

    assert set(asked) == set(range(ports))
    assert sorted(asked[:ports]) == list(range(ports))
