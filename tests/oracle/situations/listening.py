"""Ports of listeners and of the connections they accepted: no connect() gets them, wherever it goes."""

import socket

from shared.tcp import State
from tests.oracle.application import (
    ELSEWHERE,
    LOOPBACK,
    MPTCP,
    THERE_TOO,
    Application,
    Setup,
)
from tests.oracle.catalogue import situation
from tests.oracle.ground import LOW, Ground

REUSE = Setup(reuse_address=True)
SOME = range(LOW + 10, LOW + 30)
"""20 ports amid the range, of both parities."""


@situation
def listeners(ground: Ground) -> Application:
    """20 listeners on all addresses."""
    for port in SOME:
        ground.listen(port)
    return Application()


@situation
def listeners_on_another_address(ground: Ground) -> Application:
    """20 listeners on an address of lo block their ports towards the peer."""
    for port in SOME:
        ground.listen(port, ELSEWHERE)
    return Application()


@situation
def listeners_sharing_ports(ground: Ground) -> Application:
    """5 ports with 4 SO_REUSEPORT listeners each: 5 ports, not 20."""
    for port in SOME[:5]:
        for _ in range(4):
            ground.listen(port, setup=Setup(reuse_port=True))
    return Application()


@situation
def listeners_v6only(ground: Ground) -> Application:
    """20 IPv6-only listeners block IPv4 connects as well."""
    for port in SOME:
        ground.listen(port, "::", Setup(v6only=True))
    return Application()


@situation
def listeners_dual_stack(ground: Ground) -> Application:
    """20 listeners of both families, 10 of which have a sister on an IPv4 address."""
    for port in SOME:
        ground.listen(port, "::", Setup(v6only=port % 2 == 0))
        if port % 2 == 0:
            ground.listen(port, "0.0.0.0")
    return Application()


@situation
def listeners_unbound(ground: Ground) -> Application:
    """20 listeners that never bound: listen() took a port of the range for each."""
    for _ in range(20):
        ground.open(socket.AF_INET).listen()
    return Application()


@situation
def listeners_mptcp(ground: Ground) -> Application:
    """20 MPTCP listeners."""
    for port in SOME:
        ground.listen(port, setup=Setup(protocol=MPTCP))
    return Application()


@situation
def listeners_shut_down(ground: Ground) -> Application:
    """20 listeners after shutdown(): deaf, still bound."""
    for port in SOME:
        ground.listen(port).shutdown(socket.SHUT_RD)
    return Application()


@situation
def listeners_closed(ground: Ground) -> Application:
    """20 listeners came and went: nothing is left."""
    ground.close([ground.listen(port) for port in SOME])
    return Application()


@situation
def live_children(ground: Ground) -> Application:
    """A listener with 40 accepted connections: one port."""
    server = ground.listen(LOW + 10)
    ground.accept(server, ground.connect_from_there(40, LOW + 10))
    return Application()


@situation
def unaccepted_children(ground: Ground) -> Application:
    """A listener with 40 connections it has not accepted yet: one port."""
    ground.listen(LOW + 10)
    ground.connect_from_there(40, LOW + 10)
    ground.until(State.ESTABLISHED, 40)
    return Application()


@situation
def orphaned_children(ground: Ground) -> Application:
    """20 accepted connections whose listeners are gone keep their ports blocked, and no dump says so."""
    for port in SOME:
        server = ground.listen(port)
        ground.accept(server, ground.connect_from_there(1, port))
        server.close()
    return Application()


@situation
def orphaned_children_of_loopback(ground: Ground) -> Application:
    """20 connections within this host whose listeners are gone, both ends of them alive."""
    for port in SOME:
        server = ground.listen(port, LOOPBACK)
        ground.pairs(1, server, LOOPBACK, bind=(LOOPBACK, port - 10_000))
        server.close()
    return Application()


@situation
def children_of_the_pool(ground: Ground) -> Application:
    """20 accepted connections that come from the very address and port we go to, their listeners alive."""
    for port in SOME:
        server = ground.listen(port)
        ground.accept(server, ground.connect_from_there(1, port, bind=(THERE_TOO, 8090), setup=REUSE))
    ground.listen_there(8090)
    return Application(peer=THERE_TOO, port=8090)


@situation
def orphaned_children_of_the_pool(ground: Ground) -> Application:
    """The same, their listeners gone: blocked and held are one port each."""
    for port in SOME:
        server = ground.listen(port)
        ground.accept(server, ground.connect_from_there(1, port, bind=(THERE_TOO, 8090), setup=REUSE))
        server.close()
    ground.listen_there(8090)
    return Application(peer=THERE_TOO, port=8090)
