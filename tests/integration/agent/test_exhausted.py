"""The agent does its work while its own host has no port left: over the line it holds, or from a port of its own."""

import pytest

from tests.agent_process import until
from tests.ground import FAR, FRONT_PORT, NEAR, Ground

pytestmark = pytest.mark.timeout(400)
LOW, HIGH = 40_000, 40_039
OWN = "39000-39003"


@pytest.fixture(autouse=True)
def small_range(ground: Ground) -> None:
    ground.near.set_sysctl("ipv4/ip_local_port_range", f"{LOW} {HIGH}")


def exhaust(ground: Ground, how: str, low: int = LOW, high: int = HIGH) -> int:
    """Take every port towards the front that is left; answers how many that were."""
    ground.near.set_sysctl("ipv4/ip_local_port_range", f"{low} {high}")
    taking = ["towards", FAR, FRONT_PORT, high - low + 1] if how == "pool full" else ["occupy", NEAR, low, high]
    (became,) = ground.spend([taking])["steps"]
    return int(became.get("ok", 0))


@pytest.mark.parametrize("how", ["pool full", "every port blocked"])
def test_the_line_that_is_held_goes_on(ground: Ground, how: str) -> None:
    ground.start_agent()
    ground.until_received(3)
    held = ground.local_port()

    assert exhaust(ground, how) == HIGH - LOW  # All but the agent's own.

    ground.until_received(10)
    assert ground.local_port() == held
    assert ground.until_whole()["duplicates"] == 0
    assert "cannot be reached" not in ground.agent.log.read_text()


@pytest.mark.parametrize("how", ["pool full", "every port blocked"])
def test_a_line_that_is_cut_is_opened_anew_from_a_port_of_its_own(ground: Ground, how: str) -> None:
    ground.start_agent(source_ports=OWN)
    ground.until_received(3)
    exhaust(ground, how)
    before = ground.local_port()
    assert 39_000 <= before <= 39_003

    ground.front.cut(lambda port: port == before)

    ground.until_received(5)
    after = ground.local_port()
    assert 39_000 <= after <= 39_003
    assert after != before  # The one before may be in TIME_WAIT.
    ground.until_whole()


@pytest.mark.parametrize("how", ["pool full", "every port blocked"])
def test_without_one_it_says_why_and_delivers_everything_later(ground: Ground, how: str) -> None:
    ground.start_agent()
    ground.until_received(3)
    held = ground.local_port()
    low = LOW if held > LOW + 10 else LOW + 20  # A range without the port that it is about to lose.
    assert exhaust(ground, how, low, low + 9) == 10

    ground.front.cut(lambda port: port == held)

    ground.agent.until_logged("this host has no local port left towards it; give the agent some of its own")
    received = ground.told()["received"]
    ground.release()
    until(lambda: ground.told()["received"] > received)
    ground.until_whole()


def test_ports_that_cannot_be_had_are_named_each_with_its_reason(ground: Ground) -> None:
    ground.spend([["occupy", NEAR, 39_000, 39_003]])
    assert exhaust(ground, "every port blocked", LOW, LOW + 1) == 2
    ground.start_agent(source_ports=OWN)

    ground.agent.until_logged("none of source_ports can be had: 39000 (Address already in use), 39001")
    ground.release()
    ground.until_received(3)
    ground.until_whole()


def test_source_ports_that_the_kernel_lends_are_warned_of(ground: Ground) -> None:
    ground.start_agent(source_ports=f"{LOW}-{LOW + 1},39000")
    ground.until_received(1)

    assert "net.ipv4.ip_local_reserved_ports ports=40000-40001" in ground.agent.log.read_text()
