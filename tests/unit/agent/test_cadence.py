"""When to look at the sockets: never too late by the kernel's counters, never more than the share allows."""

from collections.abc import Iterable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.budget import Budget
from agent.cadence import Baseline, Counters, Decision, Fullness, Place, Reason, Situation, baseline, decide, reach

THRESHOLDS = (0.5, 0.7, 0.85, 1.0)
RICH = Budget(1.0, left_s=100.0)
NOUGHT = Counters(0, 0, 0, 0, 0, 0)
POOL = 28_000


def calm(held: int = 0, *others: int) -> Baseline:
    """A namespace whose fullest pools hold so many of 28,000 ports; the counters began at nought."""
    return baseline(NOUGHT, [Fullness(one, POOL) for one in (held, *others, 0)], THRESHOLDS)


def at(
    then: Baseline, *, opened: int = 0, total: int = 10**6, since_s: float = 1.0, budget: Budget = RICH, **more: bool
) -> Decision:
    """What is decided when so many connections were opened since; by default plenty of sockets are there."""
    accepted = max(0, total - opened)
    now = NOUGHT._replace(opened=opened, accepted=accepted, sockets=total)
    return decide(Situation([Place(then, now)], since_s, 10.0, **more), budget)


def test_reasons_read_as_labels_of_a_metric() -> None:
    assert all(one.isidentifier() and one.islower() for one in Reason)


def test_nothing_is_known_before_the_first_sample() -> None:
    assert decide(Situation([], None, 10.0), Budget(0.01, left_s=-5.0)) == Decision(Reason.FIRST)


def test_as_long_as_no_pool_can_have_reached_a_threshold_nothing_is_done_before_the_interval_is_over() -> None:
    assert at(calm(8_000), opened=5_999).reason is None
    assert at(calm(8_000), opened=5_999, since_s=10.0).reason is Reason.DUE


@pytest.mark.parametrize(
    ("held", "opened", "threshold"), [(8_000, 6_000, 0), (8_000, 11_600, 1), (13_999, 1, 0), (14_000, 5_600, 1)]
)
def test_a_pool_that_may_have_reached_a_threshold_is_looked_at(held: int, opened: int, threshold: int) -> None:
    assert at(calm(held), opened=opened) == Decision(Reason.CROSSING, threshold=threshold)


def test_a_pool_that_is_not_there_yet_may_reach_a_threshold_too() -> None:
    assert at(calm(28_000), opened=14_000).threshold == 0


def test_no_pool_can_hold_more_than_there_are_sockets() -> None:
    assert at(calm(8_000), opened=20_000, total=13_999).reason is None


def test_a_hot_pool_is_followed_while_connections_move() -> None:
    hot = calm(15_000)

    assert at(hot, opened=28, since_s=2.0).reason is Reason.HOT
    assert at(hot, opened=27, since_s=2.0, total=27).reason is None
    assert at(calm(13_000), opened=28, since_s=2.0).reason is None


def test_a_hot_pool_is_followed_each_second_where_the_share_pays_for_it() -> None:
    def after_one_second(sample_s: float) -> Reason | None:
        return at(calm(15_000), opened=500, since_s=1.0, budget=Budget(0.01, sample_s, left_s=100.0)).reason

    assert after_one_second(0.010) is Reason.HOT
    assert after_one_second(0.011) is None


def test_what_ends_moves_a_hot_pool_too() -> None:
    before = NOUGHT._replace(opened=20_000, sockets=20_000, established=20_000)
    then = baseline(before, [Fullness(20_000, POOL)], THRESHOLDS)
    now = before._replace(sockets=19_000, established=19_000)

    assert decide(Situation([Place(then, now)], 2.0, 10.0), RICH).reason is Reason.HOT


def test_counters_that_cannot_be_read_or_are_anothers_tell_nothing() -> None:
    then = calm(8_000)._replace(counters=NOUGHT._replace(opened=5))
    for now in (None, NOUGHT):
        assert decide(Situation([Place(then, now)], 2.0, 10.0), RICH).reason is Reason.BLIND


def test_a_newcomer_and_changed_settings_are_looked_at_at_once() -> None:
    assert at(calm(), has_newcomer=True).reason is Reason.NEW
    assert at(calm(), is_changed=True, has_newcomer=True).reason is Reason.CHANGED


def test_the_higher_the_threshold_the_more_of_the_reserve_may_be_spent() -> None:
    def allowed(left_s: float, opened: int) -> bool:
        return at(calm(8_000), opened=opened, budget=Budget(0.01, 0.03, left_s)).allowed

    assert [allowed(0.4, opened) for opened in (6_000, 11_600, 15_800, 20_000)] == [False, True, True, True]
    assert [allowed(0.01, opened) for opened in (6_000, 11_600, 15_800, 20_000)] == [False, False, False, True]
    assert not at(calm(8_000), since_s=10.0, budget=Budget(0.01, 0.06, 1.2)).is_sample


def test_a_withheld_sample_has_its_reason() -> None:
    withheld = at(calm(8_000), since_s=60.0, budget=Budget(0.01, 0.31, 0.0))

    assert (withheld.reason, withheld.allowed, withheld.is_sample) == (Reason.DUE, False, False)


@pytest.mark.parametrize("opened", [0, 6_000, 20_000], ids=["nothing happens", "half full", "full"])
def test_a_host_that_spent_its_reserve_is_not_silent_until_the_reserve_is_full_again(opened: int) -> None:
    """Thirty crossings took all: the share still pays for the next interval."""
    spent = Budget(0.01, 0.03, -0.5)

    assert not at(calm(8_000), opened=opened, since_s=9.0, budget=spent).is_sample
    assert at(calm(8_000), opened=opened, since_s=10.0, budget=spent).is_sample


def test_counters_that_stand_still_stand_in_for_a_look() -> None:
    idle = NOUGHT._replace(opened=500, sockets=400, established=400, segments=9_000)

    assert idle.stands_still(idle, POOL, age_s=299.0)
    assert not idle.stands_still(idle, POOL, age_s=300.0)
    assert not idle._replace(opened=501).stands_still(idle, POOL, age_s=1.0)
    assert not idle._replace(sockets=401).stands_still(idle, POOL, age_s=1.0)


def test_where_segments_came_in_states_may_have_changed_and_a_minute_is_enough() -> None:
    idle = NOUGHT._replace(sockets=400, established=400)
    busy = idle._replace(segments=280)

    assert [busy.stands_still(idle, POOL, age_s) for age_s in (59.0, 60.0)] == [True, False]


def test_time_waits_age_without_a_counter() -> None:
    waiting = NOUGHT._replace(waiting=1)

    assert not waiting.stands_still(waiting, POOL, age_s=1.0)


# --- soundness: whatever happens, no pool holds more than the bound says ----------------------------------------------

EVENTS = {
    "connect": (1, 0, 0, 0, 1, 0),
    "accept": (0, 0, 0, 1, 0, 1),
    "listen": (0, 0, 0, 1, 0, 0),
    "close": (-1, 0, 0, 0, 0, 0),
    "close accepted": (0, 0, 0, -1, 0, 0),
    "wait": (-1, 1, 0, 0, 0, 0),
    "forget": (0, -1, 0, 0, 0, 0),
    "recycle": (1, -1, 0, 0, 1, 0),
    "quiet": (1, 0, 1, 0, 0, 0),
    "write": (0, 0, -1, 0, 1, 0),
}
"""What each adds to: sockets held, TIME_WAITs, silent ones (of a pool); other sockets, ActiveOpens, PassiveOpens.
`quiet` is a connect() that has sent no SYN yet (TCP_FASTOPEN_CONNECT, TCP_REPAIR); at `write` it has."""
LOUD = [one for one in EVENTS if one not in ("quiet", "write")]


class World:
    """Three pools, and the counters the kernel would show."""

    def __init__(self) -> None:
        self.held, self.waiting, self.silent = [0] * 3, [0] * 3, [0] * 3
        self.opened = self.accepted = self.others = 0

    def do(self, event: str, pool: int) -> None:
        """One event, where it can happen: each is what it adds to the numbers of a pool and of the namespace."""
        held, waiting, silent, others, opened, accepted = EVENTS[event]
        if event in ("close", "wait") and self.held[pool] == self.silent[pool]:
            return
        if min(self.held[pool] + held, self.waiting[pool] + waiting, self.silent[pool] + silent) < 0:
            return
        if self.others + others < 0:
            return
        self.held[pool] += held
        self.waiting[pool] += waiting
        self.silent[pool] += silent
        self.others += others
        self.opened += opened
        self.accepted += accepted

    @property
    def ports(self) -> list[int]:
        """Held by each pool: TIME_WAITs among them, none of which is old enough to be lent again."""
        return [held + waiting for held, waiting in zip(self.held, self.waiting, strict=True)]

    @property
    def counters(self) -> Counters:
        table = sum(self.held) + self.others
        return Counters(self.opened, self.accepted, table, 0, table, sum(self.waiting))


def play(world: World, events: Iterable[tuple[str, int]]) -> None:
    for event, pool in events:
        world.do(event, pool)


def events_of(*names: str) -> st.SearchStrategy[list[tuple[str, int]]]:
    return st.lists(st.tuples(st.sampled_from(names), st.integers(0, 2)), max_size=120)


@given(before=events_of(*EVENTS), after=events_of(*LOUD))
def test_no_pool_gains_more_than_the_bound_says(before: list[tuple[str, int]], after: list[tuple[str, int]]) -> None:
    world = World()
    play(world, before)
    then, held = world.counters, world.ports
    for event in after:
        world.do(*event)
        now = world.counters

        assert all(
            one <= min(first + now.gained_since(then), now.sockets + now.waiting)
            for first, one in zip(held, world.ports, strict=True)
        )


@given(before=events_of(*EVENTS), after=events_of("connect", "accept", "quiet", "write", "wait"))
def test_connects_without_a_syn_are_covered_as_far_as_the_table_grows(
    before: list[tuple[str, int]], after: list[tuple[str, int]]
) -> None:
    world = World()
    play(world, before)
    then, held = world.counters, world.ports
    play(world, after)

    gained = world.counters.gained_since(then)
    assert all(one <= first + gained for first, one in zip(held, world.ports, strict=True))


@given(
    st.lists(events_of(*LOUD), min_size=1, max_size=12),
    st.integers(1, 40),
)
def test_the_tick_after_a_threshold_was_reached_takes_a_sample(
    ticks: Sequence[list[tuple[str, int]]], capacity: int
) -> None:
    """Events in ticks; a sample wherever one is decided. No pool is ever past a threshold that no sample has seen."""
    world = World()
    seen = world.ports
    then = baseline(world.counters, [Fullness(one, capacity) for one in seen], THRESHOLDS)
    for events in ticks:
        play(world, events)
        reached = [
            any(old < reach(level, capacity) <= new for old, new in zip(seen, world.ports, strict=True))
            for level in THRESHOLDS
        ]
        decision = decide(Situation([Place(then, world.counters)], 1.0, 10**9), RICH)

        if any(reached):
            assert decision.is_sample
            assert decision.threshold is not None
            assert decision.threshold >= max(number for number, one in enumerate(reached) if one)
        if decision.is_sample:
            seen = world.ports
            then = baseline(world.counters, [Fullness(one, capacity) for one in seen], THRESHOLDS)
