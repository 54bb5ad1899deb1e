"""The shared values keep their promises."""

from shared.model import Kind, Namespace, Pool, Reading
from shared.ports import PortRange

LOOP = bytes([127, 0, 0, 1])


def test_a_pool_reads_as_from_where_to_where() -> None:
    assert str(Pool("host", Kind.CONNECT, LOOP, LOOP, 9001)) == "127.0.0.1 -> 127.0.0.1:9001"
    assert str(Pool("host", Kind.CONNECT, bytes(15) + b"\1", bytes(15) + b"\2", 80)) == "::1 -> [::2]:80"
    assert str(Pool("host", Kind.BIND, LOOP)) == "127.0.0.1 -> any (bind)"
    assert str(Pool("host", Kind.UDP, b"")) == "* -> any (udp)"


def test_occupancy_is_the_held_share_and_a_pool_without_ports_is_full() -> None:
    pool = Pool("host", Kind.CONNECT, LOOP, LOOP, 9001)

    assert Reading(pool, 150, 300, 150, 150).occupancy == 0.5
    assert Reading(pool, 0, 0, 0, 0).occupancy == 1.0


def test_capacity_is_never_negative() -> None:
    namespace = Namespace(name="host", inode=1, port_range=PortRange(1, 10), reserved=8, blocked=5)

    assert namespace.capacity == 0
