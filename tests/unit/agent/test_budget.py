"""What sampling may cost: a share of a core, averaged."""

import math

from hypothesis import given
from hypothesis import strategies as st

from agent.budget import Budget

SHARE = 0.01


def test_a_sample_that_can_wait_leaves_the_reserve_alone() -> None:
    budget = Budget(SHARE, sample_s=0.030, left_s=1.21)

    assert (budget.reserve_s, budget.affords(0.0), budget.affords(0.25)) == (1.2, False, True)


def test_the_most_urgent_may_spend_all_there_is_and_owe_no_more_than_one_sample() -> None:
    assert Budget(SHARE, sample_s=0.030, left_s=0.001).affords(1.0)
    assert not Budget(SHARE, sample_s=0.030, left_s=-0.001).affords(1.0)


def test_the_reserve_has_room_for_a_sample_at_each_threshold_however_dear() -> None:
    assert Budget(SHARE, sample_s=2.0).reserve_s == 8.0
    rich = Budget(SHARE, sample_s=2.0, left_s=8.0)
    for urgency in (0.25, 0.5, 0.75, 1.0):
        assert rich.affords(urgency)
        rich = rich.after(1.0, sampling_s=2.0, others_s=0.0)


def test_many_pools_that_cross_the_level_that_pages_are_each_seen_within_a_second() -> None:
    """Thirty namespaces of one host, one after the other: a sample a second, and every fifth finds owners besides."""
    budget = Budget(SHARE, sample_s=0.055)
    for second in range(18):
        assert budget.affords(0.75), f"the sample of second {second} is withheld"
        budget = budget.after(1.0, sampling_s=0.2 if second % 5 == 0 else 0.055, others_s=0.0035)


def test_after_the_reserve_is_spent_a_page_waits_for_a_sixteenth_of_it_at_most() -> None:
    spent = Budget(SHARE, sample_s=0.055, left_s=0.0)

    assert spent.after(8.0, sampling_s=0.0, others_s=0.0).affords(0.75)
    assert not spent.after(30.0, sampling_s=0.0, others_s=0.0).affords(0.5)


def test_samples_that_take_no_more_than_half_of_what_flows_in_are_sustained_by_any_budget() -> None:
    assert Budget(SHARE, sample_s=0.05, left_s=-3.0).sustains(10.0)
    assert not Budget(SHARE, sample_s=0.051, left_s=1.0).sustains(10.0)


@given(share=st.floats(0.0005, 0.5), sample_s=st.floats(0.0005, 0.4), left_s=st.floats(-5.0, 1.0))
def test_sustained_samples_come_before_a_host_is_called_silent_and_let_the_reserve_fill(
    share: float, sample_s: float, left_s: float
) -> None:
    """Silent is who misses three of the intervals it told."""
    budget, since_s = Budget(share, sample_s, left_s), 0
    while since_s < 10 or not budget.sustains(since_s):
        since_s += 1

    assert since_s < 3 * budget.interval_s(10.0)
    assert budget.after(since_s, sample_s, 0.0).balance_s > min(left_s, 2 * budget.reserve_s - 1e-9)


def test_one_dear_sample_does_not_make_the_next_ones_rarer_for_long() -> None:
    budget = Budget(SHARE).expecting(0.060).expecting(0.030).expecting(0.030)
    assert math.isclose(budget.sample_s, 0.030)

    assert math.isclose(budget.expecting(0.110).sample_s, 0.050)


def test_an_interval_the_share_does_not_pay_for_gets_longer() -> None:
    assert math.isclose(Budget(SHARE, sample_s=0.2).interval_s(10.0), 20.0)
    assert Budget(SHARE, sample_s=0.03).interval_s(10.0) == 10.0


def test_a_backlog_that_is_pushed_does_not_blind_the_agent() -> None:
    """The rest of the agent is charged to sampling, as far as half of the income."""
    budget = Budget(SHARE, sample_s=0.030, left_s=0.3)

    assert math.isclose(budget.after(10.0, sampling_s=0.0, others_s=5.0).balance_s, 0.35)
    assert math.isclose(budget.after(10.0, sampling_s=0.0, others_s=0.02).balance_s, 0.38)


@given(
    share=st.floats(0.0005, 0.5),
    costs=st.lists(st.floats(0.0005, 0.4), min_size=1, max_size=8),
    urgencies=st.lists(st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0]), min_size=50, max_size=600),
)
def test_whatever_is_asked_for_the_share_is_not_exceeded(
    share: float, costs: list[float], urgencies: list[float]
) -> None:
    """A greedy sampler, each second: what it spends is what flows in, and what was saved."""
    budget, spent_s, sampled = Budget(share), 0.0, 0
    saved_s = 2 * max(120.0 * share, 4 * max(costs)) + max(costs)
    for second, urgency in enumerate(urgencies):
        cost_s = costs[second % len(costs)]
        is_kept = second >= sampled + 10 and budget.sustains(second - sampled)
        used_s = cost_s if is_kept or budget.affords(urgency) else 0.0
        spent_s, sampled = spent_s + used_s, second if used_s else sampled
        budget = budget.after(1.0, used_s, 0.0)
        budget = budget.expecting(cost_s) if used_s else budget

        assert spent_s <= share * (second + 1) + saved_s
