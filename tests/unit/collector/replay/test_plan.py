"""What is judged again, and from which tier."""

from itertools import pairwise

import pytest

from collector.alerts.builtin import BUILT_IN
from collector.alerts.rules import Rule
from collector.history.tiers import DAY_MS, HOUR_MS, RAW, TIERS, Keep, Reach, Tier
from collector.replay.plan import EVERY_MS, MOST_INSTANTS, RUN_IN_MS, Asked, Slice, slices_of
from shared.settings import InvalidValue
from tests.builders import NOON_MS

NOW_MS = NOON_MS + 3 * DAY_MS
REACH = Reach(NOW_MS, Keep())
HOT = Rule(name="hot", severity="page", raise_at=0.5, hold_s=60)


def asked(from_ms: int, to_ms: int = NOW_MS) -> Asked:
    return Asked(rules=(HOT,), from_ms=from_ms, to_ms=to_ms)


def test_each_stretch_is_read_from_the_finest_tier_that_reaches_back() -> None:
    made = slices_of(asked(NOON_MS, NOW_MS), 1, REACH)
    tiers = [one.tier.name for one in made]
    assert list(dict.fromkeys(tiers)) == ["minute", "raw"]
    assert all(before.to_ms == after.from_ms for before, after in pairwise(made))
    assert all(one.tier.start_of(one.from_ms) == one.tier.start_of(one.to_ms - 1) for one in made)
    assert made[-1].to_ms == NOW_MS


def test_what_came_before_is_judged_first_and_ends_where_the_window_begins() -> None:
    begin_ms = NOW_MS - HOUR_MS
    made = slices_of(asked(begin_ms), 1, REACH)
    assert made[0].from_ms == begin_ms - RUN_IN_MS - HOT.hold_ms
    assert begin_ms in [one.to_ms for one in made]


def test_time_is_looked_at_as_finely_as_the_tier_tells_and_at_the_end() -> None:
    [*_, raw] = slices_of(asked(NOW_MS - 1_500), 1, REACH)
    assert [at_ms - NOW_MS for at_ms in raw.moments] == [-1_000, 0]
    minute = slices_of(asked(NOON_MS), 1, REACH)[0]
    assert {at_ms % 60_000 for at_ms in minute.moments} == {0}
    assert Slice(minute.tier, NOON_MS + 5, NOON_MS + 10).moments == [NOON_MS + 10]


@pytest.mark.parametrize("from_ms", [NOON_MS, NOON_MS + 7, NOON_MS + 599_999])
@pytest.mark.parametrize("tier", TIERS)
def test_its_pieces_are_the_whole_and_look_at_the_same_moments(tier: Tier, from_ms: int) -> None:
    whole = Slice(tier, from_ms, tier.start_of(from_ms) + tier.span_ms)
    assert [whole.pieces[0].from_ms, whole.pieces[-1].to_ms] == [whole.from_ms, whole.to_ms]
    assert all(before.to_ms == after.from_ms for before, after in pairwise(whole.pieces))
    assert [at_ms for piece in whole.pieces for at_ms in piece.moments] == list(whole.moments)
    assert len(whole.pieces) <= 11


def test_a_day_of_a_thousand_hosts_is_judged_a_chunk_at_a_time_and_of_more_hosts_a_part_of_one() -> None:
    """What is in memory at once does not grow with the fleet, nor with the window."""
    day = asked(NOW_MS - DAY_MS)
    assert {one.to_ms - one.from_ms for one in slices_of(day, 1_000, REACH)[2:]} == {RAW.span_ms}
    hour = slices_of(asked(NOW_MS - HOUR_MS), 40_000, REACH)
    assert all(before.to_ms == after.from_ms for before, after in pairwise(hour))
    assert max(one.to_ms - one.from_ms for one in hour) * 40_000 // EVERY_MS <= MOST_INSTANTS
    assert all(RAW.start_of(one.from_ms) == RAW.start_of(one.to_ms - 1) for one in hour)


@pytest.mark.parametrize(("from_ms", "hosts"), [(NOW_MS - 3 * 365 * DAY_MS, 1), (NOW_MS - HOUR_MS, 100_001)])
def test_too_old_and_too_much_are_refused(from_ms: int, hosts: int) -> None:
    with pytest.raises(InvalidValue):
        slices_of(asked(from_ms), hosts, REACH)


def test_a_window_that_ends_before_it_begins_and_two_rules_of_one_name_are_refused() -> None:
    with pytest.raises(InvalidValue, match="after"):
        asked(NOW_MS)
    with pytest.raises(InvalidValue, match="'hot'"):
        Asked(rules=(HOT, HOT), from_ms=0, to_ms=1)


def test_rules_that_ask_for_what_history_does_not_keep_are_left_out_and_it_is_said_why() -> None:
    made = Asked(rules=BUILT_IN, from_ms=0, to_ms=1)
    assert list(made.left_out) == ["host-contested", "clock-wrong", "channel-failing", "rollout-halted"]
    assert all(why.startswith("history does not keep ") for why in made.left_out.values())
    assert len(made.judged) + len(made.left_out) == len(BUILT_IN)
