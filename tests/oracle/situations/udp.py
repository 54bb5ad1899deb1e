"""UDP: one port space for all destinations; any socket on a port is in the way of a socket that has no address yet."""

import socket

from tests.oracle.application import (
    CABLE,
    ELSEWHERE,
    HERE,
    HERE_TOO,
    HERE_V6,
    THERE,
    THERE_TOO,
    THERE_V6,
    UDP,
    Application,
    Setup,
    mapped,
)
from tests.oracle.catalogue import situation
from tests.oracle.ground import HIGH, LOW, Ground

PORT, OTHER_PORT = 5353, 5354
PLAIN = Application(port=PORT, setup=UDP)
V6 = Application(local=HERE_V6, peer=THERE_V6, port=PORT, setup=UDP)
FIRST_BINDS = Application(port=PORT, setup=UDP, binds=True)
V6ONLY = Setup(udp=True, v6only=True)
SOME = range(LOW + 10, LOW + 30)


@situation
def udp_empty(ground: Ground) -> Application:
    """Nothing is used."""
    del ground
    return PLAIN


@situation
def udp_other_peer(ground: Ground) -> Application:
    """60 sockets connected to another destination take their ports from everybody."""
    ground.connect(60, THERE_TOO, OTHER_PORT, setup=UDP)
    return PLAIN


@situation
def udp_of_the_pool(ground: Ground) -> Application:
    """60 sockets connected to the same destination."""
    ground.connect(60, port=PORT, setup=UDP)
    return PLAIN


@situation
def udp_exhausted(ground: Ground) -> Application:
    """200 sockets connected to another destination: nothing is left for any."""
    ground.connect(200, THERE_TOO, OTHER_PORT, setup=UDP)
    return PLAIN


@situation
def udp_unconnected(ground: Ground) -> Application:
    """30 sockets that only sent something, to 30 places."""
    for number in range(30):
        ground.open(socket.AF_INET, UDP).sendto(b"hello", (THERE, 9_000 + number))
    return PLAIN


@situation
def udp_bound_to_other_local(ground: Ground) -> Application:
    """30 sockets bound to another local address are in the way of one that has none yet."""
    for _ in range(30):
        ground.bind(ELSEWHERE, setup=UDP)
    return PLAIN


@situation
def udp_closed_and_dissolved(ground: Ground) -> Application:
    """30 sockets closed and 30 dissolved: nothing is left."""
    ground.close(ground.connect(30, port=PORT, setup=UDP))
    for one in ground.connect(30, port=PORT, setup=UDP):
        ground.dissolve(one)
    return PLAIN


@situation
def udp_reserved(ground: Ground) -> Application:
    """20 ports are reserved, 10 of them in use all the same; 20 others in use."""
    ground.sysctl("ip_local_reserved_ports", f"{LOW + 100}-{LOW + 119}")
    for port in range(LOW + 110, LOW + 120):
        ground.bind(HERE, port, UDP)
    ground.connect(20, port=PORT, setup=UDP)
    return PLAIN


@situation
def udp_odd_range(ground: Ground) -> Application:
    """A range of odd size costs UDP nothing."""
    ground.lend(LOW, HIGH + 1)
    ground.connect(30, port=PORT, setup=UDP)
    return PLAIN


@situation
def udp_range_of_one(ground: Ground) -> Application:
    """A range of one port."""
    ground.lend(LOW, LOW)
    return PLAIN


@situation
def udp_own_range(ground: Ground) -> Application:
    """The application has IP_LOCAL_PORT_RANGE; 20 of those ports are in use."""
    middle = Setup(udp=True, own_range=(LOW + 50, LOW + 100))
    ground.connect(20, port=OTHER_PORT, setup=middle)
    return Application(port=PORT, setup=middle)


@situation
def udp_sharing_ports(ground: Ground) -> Application:
    """5 ports with 4 SO_REUSEPORT sockets each: 5 ports."""
    for port in SOME[:5]:
        for _ in range(4):
            ground.bind("0.0.0.0", port, Setup(udp=True, reuse_port=True))
    return PLAIN


@situation
def udp_reuse_address(ground: Ground) -> Application:
    """20 ports with 2 SO_REUSEADDR sockets each: 20 ports for an application that does not set it."""
    for port in SOME:
        for _ in range(2):
            ground.bind("0.0.0.0", port, Setup(udp=True, reuse_address=True))
    return PLAIN


@situation
def udp_bind_first_other_local(ground: Ground) -> Application:
    """The application binds its address first; 60 sockets on another one are not in its way."""
    for _ in range(60):
        ground.bind(ELSEWHERE, setup=UDP)
    return FIRST_BINDS


@situation
def udp_bind_first_same_local(ground: Ground) -> Application:
    """The application binds its address first; 40 sockets on it, 20 of them connected."""
    for _ in range(20):
        ground.bind(HERE, setup=UDP)
    ground.connect(20, THERE_TOO, OTHER_PORT, setup=UDP)
    return FIRST_BINDS


@situation
def udp_bind_first_wildcard(ground: Ground) -> Application:
    """The application binds its address first; 30 sockets on all addresses and 30 on another."""
    for _ in range(30):
        ground.bind("0.0.0.0", setup=UDP)
    for port in range(HIGH - 29, HIGH + 1):
        try:
            ground.bind(HERE_TOO, port, UDP)
        except OSError:
            continue  # A wildcard socket got there first.
    return FIRST_BINDS


@situation
def udp_bind_first_dual_stack(ground: Ground) -> Application:
    """The application binds its address first; 20 dual-stack wildcards are in its way, 20 v6only ones are not."""
    for port in SOME:
        ground.bind("::", port, Setup(udp=True, v6only=False))
        ground.bind("::", port + 40, V6ONLY)
    return FIRST_BINDS


@situation
def udp_bind_first_v6(ground: Ground) -> Application:
    """An IPv6 application that binds first; 20 on IPv4 wildcards, 20 on its address, 20 on another of IPv6."""
    for port in SOME:
        ground.bind("0.0.0.0", port, UDP)
        ground.bind(HERE_V6, port + 40, UDP)
        ground.bind("::1", port + 80, UDP)
    return Application(local=HERE_V6, peer=THERE_V6, port=PORT, setup=UDP, binds=True)


@situation
def udp_v6_wildcards(ground: Ground) -> Application:
    """20 v6only sockets are not in the way of IPv4, 20 dual-stack ones are."""
    for port in SOME:
        ground.bind("::", port, V6ONLY)
        ground.bind("::", port + 40, Setup(udp=True, v6only=False))
    return PLAIN


@situation
def udp_v6_bound(ground: Ground) -> Application:
    """20 sockets bound to a native IPv6 address: that makes them v6only, not in the way of IPv4."""
    for port in SOME:
        ground.bind(HERE_V6, port, UDP)
    return PLAIN


@situation
def udp_v6_connected(ground: Ground) -> Application:
    """20 connected dual-stack sockets with native IPv6 peers are in the way of IPv4."""
    ground.connect(20, THERE_V6, OTHER_PORT, setup=UDP)
    return PLAIN


@situation
def udp_v6_connected_v6only(ground: Ground) -> Application:
    """20 connected v6only sockets are not in the way, but no dump tells them from others."""
    ground.connect(20, THERE_V6, OTHER_PORT, setup=V6ONLY)
    return PLAIN


@situation
def udp_v6_bound_and_connected(ground: Ground) -> Application:
    """20 sockets bound to a native IPv6 address and connected: v6only, which no dump tells."""
    ground.connect(20, THERE_V6, OTHER_PORT, bind=(HERE_V6, 0), setup=UDP)
    return PLAIN


@situation
def udp_v6_application(ground: Ground) -> Application:
    """An IPv6 application that may do both: 20 IPv4 sockets are in its way, 20 IPv6 ones as well."""
    ground.connect(20, THERE, OTHER_PORT, setup=UDP)
    ground.connect(20, THERE_V6, OTHER_PORT, setup=UDP)
    return V6


@situation
def udp_v6_exhausted_by_v4(ground: Ground) -> Application:
    """200 IPv4 sockets leave nothing to IPv6."""
    ground.connect(200, THERE, OTHER_PORT, setup=UDP)
    return V6


@situation
def udp_mapped(ground: Ground) -> Application:
    """20 AF_INET6 sockets connected to an IPv4 peer."""
    ground.connect(20, mapped(THERE), OTHER_PORT, setup=UDP)
    return PLAIN


@situation
def udp_mapped_application(ground: Ground) -> Application:
    """The application reaches its IPv4 peer by AF_INET6 sockets; 20 plain and 20 IPv6 ones are in its way."""
    for port in SOME:
        ground.bind("::", port, Setup(udp=True, v6only=False))
    ground.connect(20, THERE, OTHER_PORT, setup=UDP)
    return Application(port=PORT, setup=UDP, mapped=True)


@situation
def udp_device_of_others(ground: Ground) -> Application:
    """20 sockets bound to lo and 20 to the cable: all in the way of an application bound to no device."""
    for port in SOME:
        ground.bind("0.0.0.0", port, Setup(udp=True, device="lo"))
        ground.bind("0.0.0.0", port + 40, Setup(udp=True, device=CABLE))
    return PLAIN


@situation
def udp_device_of_the_application(ground: Ground) -> Application:
    """The application binds to the cable: 20 sockets of that device and 20 of none are in its way, 20 of lo are not."""
    for port in SOME:
        ground.bind("0.0.0.0", port, Setup(udp=True, device=CABLE))
        ground.bind("0.0.0.0", port + 40, UDP)
        ground.bind("0.0.0.0", port + 80, Setup(udp=True, device="lo"))
    return Application(port=PORT, setup=Setup(udp=True, device=CABLE))


@situation
def udp_beside_tcp(ground: Ground) -> Application:
    """A TCP pool; 60 UDP sockets use ports of another space."""
    ground.connect(60, THERE_TOO, OTHER_PORT, setup=UDP)
    return Application()


@situation
def tcp_beside_udp(ground: Ground) -> Application:
    """A UDP pool; 60 TCP connections and 20 listeners use ports of another space."""
    ground.connect(60)
    for port in SOME:
        ground.listen(port, ELSEWHERE)
    return PLAIN
