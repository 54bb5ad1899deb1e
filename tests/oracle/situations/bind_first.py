"""Applications that call bind(ip, 0) before connect(): their ports end per local address, wherever they go."""

from shared.tcp import State
from tests.oracle.application import (
    CABLE,
    ELSEWHERE,
    HERE,
    HERE_TOO,
    HERE_V6,
    OTHER_PORT,
    THERE,
    THERE_TOO,
    THERE_V6,
    Application,
    Setup,
    mapped,
)
from tests.oracle.catalogue import situation
from tests.oracle.ground import HIGH, LOW, Ground

BINDER = Application(binds=True)
SOME = range(LOW + 10, LOW + 30)
NO_PORT = Setup(no_port=True)


@situation
def binder_alone(ground: Ground) -> Application:
    """Nothing is used."""
    del ground
    return BINDER


@situation
def binder_among_its_kind(ground: Ground) -> Application:
    """60 sockets did the same: 30 to the same peer, 30 to another."""
    ground.connect(30, bind=(HERE, 0))
    ground.connect(30, THERE_TOO, OTHER_PORT, bind=(HERE, 0))
    return BINDER


@situation
def binder_beside_other_local(ground: Ground) -> Application:
    """100 sockets did the same with another local address: they share ports."""
    ground.connect(100, bind=(HERE_TOO, 0))
    return BINDER


@situation
def binder_exhausted(ground: Ground) -> Application:
    """200 sockets did the same, each with a peer of its own kind: more peers do not help."""
    ground.connect(100, bind=(HERE, 0))
    ground.connect(100, THERE_TOO, OTHER_PORT, bind=(HERE, 0))
    return BINDER


@situation
def binder_among_plain(ground: Ground) -> Application:
    """60 plain connections from its address, to another peer, are in its way."""
    ground.connect(60, THERE_TOO, OTHER_PORT)
    return BINDER


@situation
def binder_among_plain_to_many(ground: Ground) -> Application:
    """Plain connections to three places share ports: each port counts once."""
    ground.connect(60)
    ground.connect(60, THERE_TOO)
    ground.connect(60, port=OTHER_PORT)
    return BINDER


@situation
def binder_beside_plain_of_other_local(ground: Ground) -> Application:
    """60 connections from another local address that took no port by bind()."""
    ground.connect(60, bind=(HERE_TOO, 0), setup=NO_PORT)
    return BINDER


@situation
def binder_idle(ground: Ground) -> Application:
    """20 idle sockets bound to its address, 20 to all addresses, 20 to another."""
    for port in SOME:
        ground.bind(HERE, port)
        ground.bind("0.0.0.0", port + 40)
        ground.bind(ELSEWHERE, port + 80)
    return BINDER


@situation
def binder_listeners(ground: Ground) -> Application:
    """20 listeners on all addresses are in its way, 20 on another address are not."""
    for port in SOME:
        ground.listen(port)
        ground.listen(port + 40, ELSEWHERE)
    return BINDER


@situation
def binder_listeners_v6(ground: Ground) -> Application:
    """20 dual-stack listeners are in its way; 20 IPv6-only ones, and 20 on ::1, are not."""
    for port in SOME:
        ground.listen(port, "::", Setup(v6only=False))
        ground.listen(port + 40, "::", Setup(v6only=True))
        ground.listen(port + 80, "::1")
    return BINDER


@situation
def binder_children(ground: Ground) -> Application:
    """A listener with 40 accepted connections: one port."""
    server = ground.listen(LOW + 10)
    ground.accept(server, ground.connect_from_there(40, LOW + 10))
    return BINDER


@situation
def binder_orphaned_children(ground: Ground) -> Application:
    """20 accepted connections on its address whose listeners are gone."""
    for port in SOME:
        server = ground.listen(port)
        ground.accept(server, ground.connect_from_there(1, port))
        server.close()
    return BINDER


@situation
def binder_time_wait(ground: Ground) -> Application:
    """30 old TIME_WAIT from its address: bind() recycles none, whatever tcp_tw_reuse says."""
    ground.sysctl("tcp_tw_reuse", 1)
    ground.time_wait(30)
    ground.let_time_waits_age()
    return BINDER


@situation
def binder_time_wait_of_its_kind(ground: Ground) -> Application:
    """30 TIME_WAIT that sockets like its own left, and 20 of another local address."""
    ground.time_wait(30, bind=(HERE, 0))
    ground.time_wait(20, bind=(HERE_TOO, 0))
    return BINDER


@situation
def binder_orphaned_finwait2(ground: Ground) -> Application:
    """30 orphaned FIN_WAIT2 from its address."""
    ground.close(ground.connect(30))
    ground.until(State.FIN_WAIT2, 30)
    return BINDER


@situation
def binder_mapped(ground: Ground) -> Application:
    """40 AF_INET6 sockets connected from its IPv4 address."""
    ground.connect(40, mapped(THERE))
    return BINDER


@situation
def binder_beside_v6(ground: Ground) -> Application:
    """40 IPv6 connections, whose local address is none of IPv4."""
    ground.connect(40, THERE_V6)
    return BINDER


@situation
def binder_v6(ground: Ground) -> Application:
    """An IPv6 application; 40 of its address, 20 IPv4 wildcards bound, 20 listeners on ::."""
    for port in SOME:
        ground.bind("0.0.0.0", port)
        ground.listen(port + 40, "::")
    ground.connect(40, THERE_V6)
    return Application(local=HERE_V6, peer=THERE_V6, binds=True)


@situation
def binder_reserved(ground: Ground) -> Application:
    """20 ports are reserved; bind() by number still took 10 of them."""
    ground.sysctl("ip_local_reserved_ports", f"{LOW + 100}-{LOW + 119}")
    for port in range(LOW + 100, LOW + 110):
        ground.bind(HERE, port)
    return BINDER


@situation
def binder_odd_range(ground: Ground) -> Application:
    """A range of odd size."""
    ground.lend(LOW, HIGH + 1)
    return BINDER


@situation
def binder_range_of_one(ground: Ground) -> Application:
    """A range of one port."""
    ground.lend(LOW, LOW)
    return BINDER


@situation
def binder_own_range(ground: Ground) -> Application:
    """It has IP_LOCAL_PORT_RANGE; 20 of those ports are in use."""
    own = Setup(own_range=(LOW + 50, LOW + 99))
    ground.connect(20, setup=own)
    return Application(binds=True, setup=own)


@situation
def binder_device_of_others(ground: Ground) -> Application:
    """20 listeners bound to lo and 20 device-bound connections from its address are in its way."""
    for port in SOME:
        ground.listen(port, setup=Setup(device="lo"))
    ground.connect(20, bind=(HERE, 0), setup=Setup(device=CABLE))
    return BINDER


@situation
def binder_device_of_its_own(ground: Ground) -> Application:
    """It binds to the cable: listeners bound to lo are not in its way, plain connections are."""
    for port in SOME:
        ground.listen(port, setup=Setup(device="lo"))
    ground.connect(20, bind=(HERE, 0))
    return Application(binds=True, setup=Setup(device=CABLE))


@situation
def binder_poisoned(ground: Ground) -> Application:
    """20 connections from another address on ports that idle binders of a third one share: not in its way."""
    for one in ground.connect(20, bind=(HERE_TOO, 0), setup=NO_PORT):
        ground.bind(ELSEWHERE, one.getsockname()[1])
    return BINDER
