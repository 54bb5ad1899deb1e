"""The version is the installed distribution's."""

from agent.version import agent_version


def test_the_version_is_known() -> None:
    assert agent_version()[0].isdigit()
