"""When the agent does its work, and when it does not."""

import pytest

from agent.cadence import Reason
from agent.health import LATE_S, in_a_line, is_stuck, trouble
from agent.tallies import Samplings


def after(*, back_by_s: float | None = 110.0, last_at_s: float | None = 100.0, failed: int = 0) -> Samplings:
    samplings = Samplings(back_by_s=back_by_s, last_at_s=last_at_s, failed=failed)
    samplings.samples[Reason.FIRST] = 1 + failed
    return samplings


def test_a_loop_that_is_long_overdue_hangs() -> None:
    assert not is_stuck(Samplings(), 1e9)
    assert not is_stuck(after(), 110 + LATE_S)
    assert is_stuck(after(), 111 + LATE_S)


@pytest.mark.parametrize(
    ("samplings", "now_s", "why"),
    [
        (after(), 105.0, ""),
        (after(), 111 + LATE_S, "the sampling loop hangs"),
        (Samplings(), 105.0, "no sample was taken yet"),
        (after(last_at_s=None, failed=2), 105.0, "every sample failed so far"),
        (after(back_by_s=200.0, failed=9), 131 + LATE_S, "the last sample that succeeded is 61 s old"),
    ],
)
def test_what_is_wrong_is_named(samplings: Samplings, now_s: float, why: str) -> None:
    assert trouble(samplings, now_s, interval_s=10) == why


def test_samples_may_be_as_rare_as_the_cpu_share_makes_them() -> None:
    seen = after(back_by_s=900.0)
    seen.interval_s = 200.0

    assert trouble(seen, 700.0, interval_s=10) == ""


def test_how_it_goes_is_one_line() -> None:
    assert (
        in_a_line(Samplings(failed=3), 5, 3) == "no sample succeeded yet, 3 failed; 3 snapshots wait for the collector"
    )
    seen = Samplings(last_at_s=100.0, sockets=1200, pools=7, namespaces=2)
    assert in_a_line(seen, 104, 0) == "1200 sockets in 7 pools of 2 network namespaces, 4 s ago; all sent"
