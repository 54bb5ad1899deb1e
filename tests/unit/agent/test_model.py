"""Values of the agent."""

from agent.model import PortSettings
from shared.ports import PortRange


def test_only_reserved_ports_of_the_range_cost_anything() -> None:
    settings = PortSettings(PortRange(10, 20), frozenset({9, 10, 20, 21}))

    assert settings.reserved_in_range == frozenset({10, 20})
