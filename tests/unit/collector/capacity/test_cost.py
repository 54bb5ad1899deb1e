"""The cost of doing nothing is counted over pools, and what is unknown is counted as that."""

from dataclasses import replace

from collector.capacity.cost import Cost, cost
from collector.capacity.growth import Growth, Tendency
from collector.capacity.needs import DAY_MS, Outlook, Standing, outlook
from tests.builders import a_pool

LAST_MS = 20_000 * DAY_MS
STEADY = Growth(trend=Tendency.STEADY, why="", peak=1_000, known_days=84)
GROWING = Growth(
    trend=Tendency.GROWING, why="", peak=20_000, known_days=84, slowest=100, per_day=100, fastest=100, reach_days=252
)


def an_outlook(growth: Growth) -> Outlook:
    standing = Standing(host="lb1", role=None, pool=a_pool(), capacity=25_000, growth=growth, page_share=0.84)
    return outlook(standing, 90, LAST_MS)


def test_each_pool_is_counted_by_what_becomes_of_it() -> None:
    outlooks = [
        an_outlook(STEADY),
        an_outlook(GROWING),
        an_outlook(replace(GROWING, reach_days=20)),
        an_outlook(replace(STEADY, trend=Tendency.UNKNOWN)),
    ]

    assert cost(outlooks, LAST_MS, 90) == Cost(
        pools=4,
        growing=2,
        unknown=2,
        paging=2,
        spent=1,
        refused=4_000,
        first_page_ms=LAST_MS + 10 * DAY_MS,
        first_spent_ms=LAST_MS + 50 * DAY_MS,
    )


def test_what_comes_after_the_horizon_costs_nothing_yet() -> None:
    found = cost([an_outlook(replace(GROWING, peak=10_000))], LAST_MS, 90)

    assert (found.paging, found.first_page_ms) == (0, None)
