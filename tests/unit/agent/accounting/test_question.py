"""Which range an application draws from."""

import pytest

from agent.accounting.question import effective_range
from shared.ports import PortRange

NETNS = PortRange(40_000, 40_199)


@pytest.mark.parametrize(
    ("own", "effective"),
    [
        (None, NETNS),
        (PortRange(40_050, 40_099), PortRange(40_050, 40_099)),
        (PortRange(30_000, 40_099), PortRange(40_000, 40_099)),
        (PortRange(40_050, 50_000), PortRange(40_050, 40_199)),
        (PortRange(30_000, 50_000), NETNS),
        (PortRange(1, 10), NETNS),
    ],
)
def test_each_end_of_an_own_range_counts_only_inside_the_namespaces(
    own: PortRange | None, effective: PortRange
) -> None:
    assert effective_range(NETNS, own) == effective
