"""Values of the agent."""

from shared.ports import PortRange, PortSettings


def test_only_reserved_ports_of_the_range_cost_anything() -> None:
    settings = PortSettings(PortRange(10, 20), frozenset({9, 10, 20, 21}))

    assert settings.reserved_in_range == frozenset({10, 20})
