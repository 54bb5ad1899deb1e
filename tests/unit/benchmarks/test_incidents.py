"""The scenes are what they say: incidents end in exhaustion, lives never do."""

import itertools
import random

import pytest

from benchmarks.incidents import CAPACITY, DAY_S, INCIDENTS, LIVES, readings


@pytest.mark.parametrize("name", INCIDENTS)
def test_every_incident_spends_its_pool(name: str) -> None:
    scene = INCIDENTS[name](random.Random(1))

    spent_s = scene.spent_s(step_s=10.0)

    assert spent_s is not None
    assert scene.judged_from_s <= spent_s < scene.ends_s
    assert scene.held(scene.judged_from_s) < CAPACITY / 2 + CAPACITY / 6


@pytest.mark.parametrize("name", LIVES)
def test_no_life_spends_its_pool(name: str) -> None:
    assert LIVES[name](random.Random(1)).spent_s(step_s=60.0) is None


def test_reports_come_every_ten_seconds_more_often_once_half_full_and_when_a_level_is_crossed() -> None:
    scene = INCIDENTS["stalled backend, 90 s"](random.Random(1))
    told = list(readings(scene, scene.judged_from_s + 40, random.Random(1)))

    gaps = {(held >= CAPACITY / 2, round(after - at_s)) for (at_s, held), (after, _) in itertools.pairwise(told)}

    assert {gap for half_full, gap in gaps if half_full} == {2}
    assert max(gap for half_full, gap in gaps if not half_full) == 10
    assert told[0][0] == scene.begins_s < DAY_S * 3
