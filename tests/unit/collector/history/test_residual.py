"""Columns by what they add."""

import numpy as np

from collector.history.residual import RULES, needed, reduce, restore


def test_what_others_tell_is_not_written_again() -> None:
    columns = {
        "held": np.array([30, 40]),
        "capacity": np.array([100, 100]),
        "headroom_min": np.array([70, 58]),
        "headroom_max": np.array([70, 60]),
        "ESTABLISHED": np.array([20, 30]),
        "TIME_WAIT": np.array([10, 12]),
    }
    before = dict(columns)
    reduce(columns)
    assert columns["held"].tolist() == [0, -2]
    assert columns["headroom_max"].tolist() == [0, 0]
    assert columns["headroom_min"].tolist() == [0, -2]
    restore(columns)
    assert all((columns[name] == before[name]).all() for name in before)


def test_a_column_without_those_it_is_told_by_stays_as_it_is() -> None:
    columns = {"headroom_max": np.array([5])}
    reduce(columns)
    assert columns["headroom_max"].tolist() == [5]


def test_what_is_wanted_brings_what_it_is_restored_from() -> None:
    columns = ("held", "capacity", "headroom_min", "headroom_max", "ESTABLISHED", "failures")
    assert needed(["failures"], columns) == {"failures"}
    assert needed(["held"], columns) == {"held", "ESTABLISHED"}
    assert needed(["headroom_min"], columns) == set(columns) - {"failures"}
    assert needed(["held.sum", "nothing"], ["held.sum", "held.min", "count"]) == {"held.sum", "held.min", "count"}


def test_no_rule_needs_a_column_treated_before_it() -> None:
    treated: set[str] = set()
    for name, needs, _ in RULES:
        assert not treated & set(needs)
        treated.add(name)
