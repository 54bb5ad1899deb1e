"""Every host at a glance."""

from msgspec.structs import replace

from collector.fleet.host import Host
from collector.fleet.muster import muster
from tests.builders import NOON_MS

FINE = Host(id=1, name="fine", labels={"role": "edge"}, latest_received_ms=NOON_MS)
EVERYONE = [
    FINE,
    replace(FINE, id=2, name="mute", labels={"role": "core"}, latest_received_ms=NOON_MS - 3_600_000),
    replace(FINE, id=3, name="blind", labels={}, failure="no netlink"),
]


def test_hosts_that_cannot_be_believed_now_are_named_with_why() -> None:
    found = muster(EVERYONE, NOON_MS)
    assert found.doubts == {"mute": "silent", "blind": "blind"}
    assert [host.name for host in found.mute] == ["mute", "blind"]
    assert found.presences == {"reporting": 1, "silent": 1, "blind": 1}


def test_roles_and_numbers_are_known_by_name() -> None:
    found = muster(EVERYONE, NOON_MS)
    assert found.roles == ["core", "edge"]
    assert found.ids == {"fine": 1, "mute": 2, "blind": 3}


def test_of_nobody_nothing_is_said() -> None:
    found = muster([], NOON_MS)
    assert (found.presences, found.doubts, found.roles) == ({}, {}, [])
