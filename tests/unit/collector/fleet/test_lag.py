"""Hosts that lag or differ."""

from itertools import pairwise

import pytest

from collector.fleet.host import Host
from collector.fleet.lag import lagging
from collector.rollout.plan import State
from tests.unit.collector.rollout.test_plan import a_rollout


def a_host(name: str, version: str = "0.10.0", revision: int | None = 0, failed: int = 0) -> Host:
    state = None if revision is None else {"revision": revision, "failed": failed, "why": "no"}
    return Host(id=1, name=name, agent_version=version, labels={"role": "edge"}, state=state)


def test_an_older_agent_lags_and_versions_are_numbers() -> None:
    assert lagging([a_host("a"), a_host("b", "0.9.1")], [])[0][1] == ["version 0.9.1, the newest is 0.10.0"]
    assert lagging([a_host("a"), a_host("b")], []) == []


@pytest.mark.parametrize(
    ("older", "newer"),
    list(pairwise(["0.9.1", "0.10.0.dev2", "0.10.0a1", "0.10.0rc1", "0.10.0rc2", "0.10.0", "0.10.1"])),
)
def test_what_leads_to_a_release_is_older_than_it(older: str, newer: str) -> None:
    [(host, why)] = lagging([a_host("a", older), a_host("b", newer)], [])
    assert (host.name, why) == ("a", [f"version {older}, the newest is {newer}"])


def test_a_host_differs_that_has_another_revision_than_is_meant_for_it() -> None:
    done = [a_rollout(2, step=4, state=State.DONE)]
    hosts = [a_host("a", revision=2), a_host("b"), a_host("c", failed=2), a_host("d", revision=None)]
    found = {host.name: why for host, why in lagging(hosts, done)}
    assert found == {
        "b": ["revision 0 in force, 2 is meant for it"],
        "c": ["revision 2 failed: no"],
        "d": ["revision 2 is meant for it, and its agent is too old to take any"],
    }
