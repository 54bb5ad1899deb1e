"""How the benchmark of the running agent judges."""

import math

from benchmarks.agent_budget import Growth, Idling, Memory, Sizes, bars, report


def judged(*, peak: float = 43e6, sizes: tuple[int, ...] = (43_000_000,) * 11, share: float = 0.0006) -> list[bool]:
    held = Memory(Sizes(round(peak), round(peak)), 30)
    return [met for met, _ in bars(held, Growth(10_000, sizes), [Idling(1, share, 0.0085, 0.6)])]


def test_each_bar_is_judged_by_its_own_figure() -> None:
    assert judged() == [True] * 5
    assert judged(peak=45.1e6) == [False, True, True, True, True]
    assert judged(sizes=tuple(43_000_000 + 100_000 * step for step in range(11))) == [True, False, True, True, True]
    assert judged(share=0.0009) == [True, True, True, False, True]
    assert judged(share=0.006) == [True, True, False, False, True]


def test_one_step_of_the_allocator_is_no_trend_and_a_steady_rise_is() -> None:
    step, rise = (43_000_000,) + (43_300_000,) * 10, tuple(43_000_000 + 60_000 * at for at in range(11))

    assert Growth(10_000, step).grown < 250_000
    assert math.isclose(Growth(10_000, rise).grown, 600_000)


def test_what_was_missed_is_said() -> None:
    text = report(Memory(Sizes(46_000_000, 46_000_000), 30), Growth(10_000, (1, 1)), [Idling(1, 0.0005, 0.0085, 0.6)])

    assert "- **MISSED**: 46.0 MB at most" in text
    assert "- met: 0.059 of `ss` and awk" in text
