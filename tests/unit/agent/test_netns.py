"""Namespaces have names people know."""

import os

import pytest

from agent.model import NetnsId
from agent.netns import current
from tests.netns import Netns


def test_another_namespace_is_not_called_the_hosts(netns: Netns) -> None:
    place = netns.run(current)

    assert place == NetnsId(f"net:[{place.inode}]", place.inode)


def test_a_namespace_that_ip_netns_named_has_that_name(
    netns: Netns, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`ip netns add` bind-mounts the namespace's file; a link to it has the same inode."""
    names = tmp_path_factory.mktemp("netns")
    (names / "edge").symlink_to(f"/proc/{os.getpid()}/task/{netns.thread_id}/ns/net")
    monkeypatch.setattr("agent.netns.NAMED", names)

    assert netns.run(current).name == "edge"
