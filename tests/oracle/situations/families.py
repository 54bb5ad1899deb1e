"""IPv4, IPv6, and IPv4 in AF_INET6 sockets: which tuples are the same, and that blocked ports always are."""

from tests.oracle.application import (
    CABLE,
    HERE,
    HERE_LINK,
    HERE_V6,
    THERE,
    THERE_LINK,
    THERE_V6,
    Application,
    Setup,
    mapped,
)
from tests.oracle.catalogue import situation
from tests.oracle.ground import LOW, Ground

V6 = Application(local=HERE_V6, peer=THERE_V6)
SOME = range(LOW + 10, LOW + 30)


@situation
def mapped_of_the_pool(ground: Ground) -> Application:
    """40 AF_INET6 sockets to the pool's IPv4 peer, mixed with 20 plain ones: 60 held."""
    ground.connect(40, mapped(THERE))
    ground.connect(20)
    return Application()


@situation
def mapped_application(ground: Ground) -> Application:
    """The application uses AF_INET6 sockets to reach the IPv4 peer; 40 plain ones are there."""
    ground.connect(40)
    return Application(mapped=True)


@situation
def mapped_bind0(ground: Ground) -> Application:
    """30 AF_INET6 sockets that call bind(::ffff:ip, 0) before they connect elsewhere: blocked."""
    ground.connect(30, mapped(THERE), 8081, bind=(mapped(HERE), 0))
    return Application()


@situation
def v6_of_the_pool(ground: Ground) -> Application:
    """An IPv6 pool with 40 connections."""
    ground.connect(40, THERE_V6)
    return V6


@situation
def v6_elsewhere(ground: Ground) -> Application:
    """40 IPv6 connections share their ports with IPv4 ones."""
    ground.connect(40, THERE_V6)
    return Application()


@situation
def v6_beside_v4_listeners(ground: Ground) -> Application:
    """An IPv6 pool; 20 IPv4 listeners block it."""
    for port in SOME:
        ground.listen(port)
    return V6


@situation
def v6_beside_v4_bind0(ground: Ground) -> Application:
    """An IPv6 pool; 30 IPv4 sockets that called bind(ip, 0) block it, and no dump says so."""
    ground.connect(30, bind=(HERE, 0))
    return V6


@situation
def v6_odd_range(ground: Ground) -> Application:
    """An IPv6 pool and a range of odd size."""
    ground.lend(LOW, LOW + 100)
    ground.connect(20, THERE_V6)
    return V6


@situation
def v6_own_range(ground: Ground) -> Application:
    """An IPv6 application with IP_LOCAL_PORT_RANGE."""
    ground.connect(20, THERE_V6)
    return Application(local=HERE_V6, peer=THERE_V6, setup=Setup(own_range=(LOW + 10, LOW + 49)))


@situation
def v6_link_local(ground: Ground) -> Application:
    """A link-local pool: its sockets are bound to the device of their scope."""
    ground.connect(40, f"{THERE_LINK}%{CABLE}")
    return Application(local=HERE_LINK, peer=THERE_LINK, setup=Setup(device=CABLE))


@situation
def v6_loopback(ground: Ground) -> Application:
    """40 connections over ::1."""
    ground.pairs(40, ground.listen(8080, "::1"), "::1")
    return Application(local="::1", peer="::1")
