"""Which tier answers."""

from dataclasses import dataclass

import pytest

from collector.history.codec import Reader, encode
from collector.history.rollup import rolled
from collector.history.tiers import DAY_MS, HOUR, HOUR_MS, MINUTE, MINUTE_MS, RAW, Keep, Reach, Tier
from collector.trends.plan import is_missed, missing, stretches_of, tier_for
from collector.trends.series import Stretch
from collector.trends.window import Window
from shared.model import Remainder
from tests.builders import NOON_MS, a_namespace, a_pool, a_reading, a_snapshot
from tests.columns import gathered, numbered

NOW_MS = NOON_MS - NOON_MS % DAY_MS


@pytest.mark.parametrize(
    ("back_ms", "step_ms", "tier", "told_ms"),
    [
        (HOUR_MS, 10_000, RAW, 10_000),
        (HOUR_MS, MINUTE_MS, MINUTE, MINUTE_MS),
        (HOUR_MS, 90_000, RAW, 90_000),
        (DAY_MS, HOUR_MS, HOUR, HOUR_MS),
        (30 * DAY_MS, 6 * HOUR_MS, HOUR, 6 * HOUR_MS),
        (3 * DAY_MS, 150_000, MINUTE, 180_000),
        (29 * DAY_MS, 30 * MINUTE_MS, MINUTE, 30 * MINUTE_MS),
        (60 * DAY_MS, 45 * MINUTE_MS, HOUR, HOUR_MS),
        (900 * DAY_MS, 7 * HOUR_MS, HOUR, 7 * HOUR_MS),
    ],
)
def test_the_coarsest_tier_that_has_the_steps_and_reaches_back(
    back_ms: int, step_ms: int, tier: object, told_ms: int
) -> None:
    window = Window(NOW_MS - back_ms, NOW_MS - back_ms + min(back_ms, 1_000 * step_ms), step_ms)
    found, widened = tier_for(window, Reach(NOW_MS, Keep()))
    assert (found, widened.step_ms) == (tier, told_ms)


def test_what_a_coarse_tier_does_not_hold_yet_is_asked_of_a_finer_one() -> None:
    span, start = MINUTE.span_ms, NOW_MS
    assert missing(MINUTE, start + 5, start + 4 * span - 7, {start + span}) == [
        (RAW, start + 5, start + span),
        (RAW, start + 2 * span, start + 4 * span - 7),
    ]
    assert missing(MINUTE, start, start + span, {start}) == []
    assert missing(RAW, start, start + span, set()) == []


def total(known: list[Stretch]) -> tuple[int, int, int]:
    """(how often it was read, sum, highest)."""
    return (
        sum(int(one.count.sum()) for one in known),
        sum(int(one.total.sum()) for one in known),
        max((int(one.high.max(initial=0)) for one in known), default=0),
    )


def test_raw_and_rolled_up_say_the_same_of_what_is_not_listed() -> None:
    partial = [a_namespace(remainder=Remainder(1, 1, 1))]
    story = [
        a_snapshot(a_reading(40), seq=1),
        a_snapshot(seq=2, taken_at_ms=NOON_MS + 1_000),
        a_snapshot(seq=3, taken_at_ms=NOON_MS + 2_000, namespaces=partial),
        a_snapshot(seq=4, taken_at_ms=NOON_MS + MINUTE_MS),
    ]
    ids = numbered(*story)
    raw = gathered(*story)
    minutes = rolled([raw], MINUTE_MS, {number: pool for pool, number in ids.items()})
    for tier, chunk in ((RAW, raw), (MINUTE, minutes)):
        reader = Reader(encode(chunk))
        assert total(stretches_of([reader], tier, ids[a_pool()], "host")) == (3, 40, 40)
        assert total(stretches_of([reader], tier, 99, "host"))[1:] == (0, 0)
        assert stretches_of([reader], tier, 99, "elsewhere") == []


@dataclass(frozen=True)
class Gone:
    tier: Tier
    from_ms: int


@pytest.mark.parametrize(
    ("gone", "tier", "has_its_chunk", "age_ms", "missed"),
    [
        (RAW, RAW, False, 0, True),
        (RAW, RAW, True, 0, True),
        (RAW, MINUTE, True, 0, True),
        (RAW, MINUTE, False, 0, False),
        (MINUTE, RAW, True, 0, False),
        (MINUTE, MINUTE, True, 0, False),
        (MINUTE, MINUTE, False, 0, False),
        (MINUTE, MINUTE, False, 3 * DAY_MS, True),
        (MINUTE, HOUR, True, 0, True),
    ],
    ids=[
        "raw is gone",
        "and late ones made another",
        "what was made of it may lack it",
        "raw is asked next, and tells",
        "raw tells all",
        "it was made anew",
        "raw has it still",
        "raw does not go back so far",
        "an hour may lack a minute",
    ],
)
def test_an_answer_lacks_what_is_gone_where_no_finer_tier_has_it(
    gone: Tier, tier: Tier, has_its_chunk: bool, age_ms: int, missed: bool
) -> None:
    found = {tier.start_of(NOON_MS)} if has_its_chunk else set()
    reach = Reach(NOON_MS + HOUR_MS + age_ms, Keep())
    assert is_missed(Gone(gone, NOON_MS), tier, found, reach) is missed
