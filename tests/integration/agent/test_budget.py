"""What a running agent costs, judged widely enough for a busy machine; the strict figures are in the benchmark.

`python -m benchmarks.agent_budget` has them, with 200,000 sockets and ten thousand samples.
"""

import pytest

from benchmarks.agent_budget import BAR_BYTES, BAR_SCRIPT, growth, idling, memory

WIDER = 4.0
"""Caches that others empty make seldom work dearer than work without a pause."""
ROOM = 1.15


@pytest.mark.usefixtures("namespaces")
def test_memory_stays_in_bounds_with_200_pools() -> None:
    assert memory(samples=8, sockets=20_000).sizes.peak <= BAR_BYTES * ROOM


@pytest.mark.usefixtures("namespaces")
def test_idle_sockets_cost_a_fraction_of_the_published_script() -> None:
    idle = idling(pools=10, seconds=20.0)

    assert idle.share <= BAR_SCRIPT * WIDER * idle.script_share, idle


@pytest.mark.usefixtures("namespaces")
def test_samples_leave_nothing_behind() -> None:
    assert growth(samples=300, warm=300).grown <= 1_500_000
