"""What the process takes is charged, whoever in it takes it."""

import time

from agent.budget import Budget
from agent.spending import Spending


def burn(cpu_s: float) -> None:
    until_s = time.process_time() + cpu_s
    while time.process_time() < until_s:
        pass


def test_what_sampling_took_is_charged_whole_and_not_twice() -> None:
    spending = Spending(Budget(0.1, left_s=1.0))
    spending.settle(100.0)
    before_s = time.process_time()
    burn(0.05)
    took_s = time.process_time() - before_s
    spending.add(took_s)

    left_s = spending.settle(101.0).balance_s

    assert 1.0 + 0.1 - took_s - 0.02 <= left_s <= 1.0 + 0.1 - took_s


def test_what_the_rest_took_is_charged_as_far_as_sampling_can_bear_it() -> None:
    spending = Spending(Budget(0.1, left_s=1.0))
    spending.settle(100.0)
    burn(0.2)

    assert abs(spending.settle(101.0).balance_s - 1.05) < 1e-9


def test_the_cost_of_the_next_sample_is_judged_by_the_latest() -> None:
    spending = Spending(Budget(0.01, sample_s=0.25))
    spending.expect(0.25)

    assert spending.settle(0.0).interval_s(10.0) == 25.0
