"""Ports that something bound and does not listen on: no connect() gets them, as long as their bucket says so."""

from shared.tcp import State
from tests.oracle.application import (
    ELSEWHERE,
    HERE,
    HERE_TOO,
    OTHER_PORT,
    THERE_TOO,
    Application,
    Setup,
    mapped,
)
from tests.oracle.catalogue import situation
from tests.oracle.ground import LOW, Ground

REUSE = Setup(reuse_address=True)
SOME = range(LOW + 10, LOW + 30)
"""20 ports amid the range, of both parities."""


@situation
def idle_explicit(ground: Ground) -> Application:
    """20 sockets bound to a port by number, never connected."""
    for port in SOME:
        ground.bind(ELSEWHERE, port)
    return Application()


@situation
def idle_on_other_local(ground: Ground) -> Application:
    """30 sockets after bind(ip, 0), on an address that takes no part in the pool."""
    for _ in range(30):
        ground.bind(HERE_TOO)
    return Application()


@situation
def idle_wildcard(ground: Ground) -> Application:
    """30 sockets after bind(0.0.0.0, 0)."""
    for _ in range(30):
        ground.bind("0.0.0.0")
    return Application()


@situation
def idle_v6(ground: Ground) -> Application:
    """30 IPv6 sockets after bind(::1, 0) block IPv4 connects."""
    for _ in range(30):
        ground.bind("::1")
    return Application()


@situation
def idle_mapped(ground: Ground) -> Application:
    """20 AF_INET6 sockets bound to an IPv4-mapped address, by number."""
    for port in SOME:
        ground.bind(mapped(ELSEWHERE), port)
    return Application()


@situation
def idle_without_port(ground: Ground) -> Application:
    """30 sockets bound to an address with IP_BIND_ADDRESS_NO_PORT: they have no port yet."""
    for _ in range(30):
        ground.bind(HERE, setup=Setup(no_port=True))
    return Application()


@situation
def idle_on_every_port(ground: Ground) -> Application:
    """200 sockets after bind(ip, 0) on another local address: no connect() is left, whatever its source."""
    for _ in range(200):
        ground.bind(HERE_TOO)
    return Application()


@situation
def idle_wildcard_on_every_port(ground: Ground) -> Application:
    """200 sockets after bind(0.0.0.0, 0): nobody gets a port by any means."""
    for _ in range(200):
        ground.bind("0.0.0.0")
    return Application()


@situation
def idle_on_two_addresses(ground: Ground) -> Application:
    """100 sockets after bind(ip, 0) on each of two addresses; they may share ports, and may not."""
    for _ in range(100):
        ground.bind(HERE)
        ground.bind(HERE_TOO)
    return Application()


@situation
def idle_sharing_ports(ground: Ground) -> Application:
    """Idle binders that share every port with a connection of the pool: blocked and held are one port each."""
    for client in ground.connect(20):
        ground.bind(ELSEWHERE, client.getsockname()[1])
    return Application()


@situation
def idle_autobind_reuse(ground: Ground) -> Application:
    """With ip_autobind_reuse, 300 SO_REUSEADDR sockets after bind(ip, 0) share 200 ports."""
    ground.sysctl("ip_autobind_reuse", 1)
    for _ in range(300):
        ground.bind(HERE_TOO, setup=REUSE)
    return Application()


@situation
def idle_closed(ground: Ground) -> Application:
    """30 sockets after bind(ip, 0), closed: nothing is left."""
    ground.close([ground.bind(HERE_TOO) for _ in range(30)])
    return Application()


@situation
def bind0_elsewhere(ground: Ground) -> Application:
    """30 sockets that call bind(ip, 0) and connect to another port: blocked for everybody, and no dump says so."""
    ground.connect(30, port=OTHER_PORT, bind=(HERE, 0))
    return Application()


@situation
def bind0_of_the_pool(ground: Ground) -> Application:
    """30 sockets that call bind(ip, 0) and connect as the pool does: blocked and held are one port each."""
    ground.connect(30, bind=(HERE, 0))
    return Application()


@situation
def bind0_without_port(ground: Ground) -> Application:
    """30 sockets that bind with IP_BIND_ADDRESS_NO_PORT and connect to another port: no effect."""
    ground.connect(30, port=OTHER_PORT, bind=(HERE, 0), setup=Setup(no_port=True))
    return Application()


@situation
def bind0_without_port_of_the_pool(ground: Ground) -> Application:
    """30 sockets that bind with IP_BIND_ADDRESS_NO_PORT and connect as the pool does: held."""
    ground.connect(30, bind=(HERE, 0), setup=Setup(no_port=True))
    return Application()


@situation
def bind0_reuse_address(ground: Ground) -> Application:
    """30 sockets with SO_REUSEADDR that call bind(ip, 0) and connect elsewhere: blocked all the same."""
    ground.connect(30, port=OTHER_PORT, bind=(HERE, 0), setup=REUSE)
    return Application()


@situation
def bind0_v6(ground: Ground) -> Application:
    """30 IPv6 sockets that call bind(ip, 0) and connect: blocked for IPv4 too."""
    ground.connect(30, "fd77::2", bind=("fd77::1", 0))
    return Application()


@situation
def bind0_beyond_half(ground: Ground) -> Application:
    """130 sockets that call bind(ip, 0): the odd ports, then even ones; 40 plain ones of the pool among them."""
    ground.connect(130, port=OTHER_PORT, bind=(HERE, 0))
    ground.connect(40)
    return Application()


@situation
def bind0_mixed_with_plain(ground: Ground) -> Application:
    """40 plain and 40 bind(ip, 0) sockets by turns, to another port, on ports of either parity."""
    for _ in range(40):
        ground.connect(1, port=OTHER_PORT)
        ground.connect(1, port=OTHER_PORT, bind=(HERE, 0))
    return Application()


@situation
def bind0_dissolved(ground: Ground) -> Application:
    """30 sockets that called bind(ip, 0), connected, and dissolved the connection."""
    for client in ground.connect(30, bind=(HERE, 0)):
        ground.dissolve(client)
    ground.until(State.ESTABLISHED, 0)
    return Application()


@situation
def explicit_elsewhere(ground: Ground) -> Application:
    """20 sockets bound to a port by number, connected to another port."""
    for port in SOME:
        ground.connect(1, port=OTHER_PORT, bind=(HERE, port))
    return Application()


@situation
def explicit_of_the_pool(ground: Ground) -> Application:
    """20 sockets bound to a port by number, connected as the pool is: blocked and held are one port each."""
    for port in SOME:
        ground.connect(1, bind=(HERE, port))
    return Application()


@situation
def explicit_to_many_peers(ground: Ground) -> Application:
    """20 ports bound by number with SO_REUSEADDR, each connected to three places: 20 ports, not 60."""
    for port in SOME:
        for peer in (THERE_TOO, "10.77.0.2"):
            ground.connect(1, peer, OTHER_PORT, bind=(HERE, port), setup=REUSE)
        ground.connect(1, bind=(HERE, port), setup=REUSE)
    return Application()


@situation
def explicit_refused_open(ground: Ground) -> Application:
    """20 sockets bound by number whose connect was refused, still open: they keep their ports."""
    for port in SOME:
        assert ground.bind(HERE, port).connect_ex((THERE_TOO, 9))
    return Application()


@situation
def explicit_reset_open(ground: Ground) -> Application:
    """20 sockets bound by number whose connection the peer reset, still open: they keep their ports."""
    ends = [ground.pairs(1, ground.server, bind=(HERE, port))[1][0] for port in SOME]
    ground.reset(ends)
    ground.until(State.ESTABLISHED, 0)
    return Application()


@situation
def explicit_closed_with_rst(ground: Ground) -> Application:
    """20 sockets bound by number, closed with a RST: nothing is left."""
    ground.reset([ground.connect(1, bind=(HERE, port))[0] for port in SOME])
    return Application()


@situation
def explicit_any_unblocked(ground: Ground) -> Application:
    """Bound to any address by number, connected beside a plain connection that then closes: 6.18 forgets the binder."""
    plain = ground.connect(10, port=OTHER_PORT, setup=REUSE)
    for one in plain:
        ground.connect(1, THERE_TOO, OTHER_PORT, bind=("0.0.0.0", one.getsockname()[1]), setup=REUSE)
    ground.reset(plain)
    return Application()


@situation
def explicit_any_held(ground: Ground) -> Application:
    """The same, but the plain connections stay."""
    for one in ground.connect(10, port=OTHER_PORT, setup=REUSE):
        ground.connect(1, THERE_TOO, OTHER_PORT, bind=("0.0.0.0", one.getsockname()[1]), setup=REUSE)
    return Application()


@situation
def poisoned_held(ground: Ground) -> Application:
    """20 plain connections to another port, each sharing its port with an idle binder."""
    for one in ground.connect(20, port=OTHER_PORT):
        ground.bind(ELSEWHERE, one.getsockname()[1])
    return Application()


@situation
def poisoned_then_released(ground: Ground) -> Application:
    """The same, the binders gone again: kernels before 6.18 keep the port blocked while the connection lives."""
    clients = ground.connect(20, port=OTHER_PORT)
    ground.close([ground.bind(ELSEWHERE, one.getsockname()[1]) for one in clients])
    return Application()


@situation
def poisoned_then_released_in_the_pool(ground: Ground) -> Application:
    """The pool's own connections were poisoned, and half of them closed since."""
    clients = ground.connect(40)
    ground.close([ground.bind(ELSEWHERE, one.getsockname()[1]) for one in clients])
    ground.reset(clients[:20])
    ground.until(State.ESTABLISHED, 20)
    return Application()


@situation
def poisoned_without_port(ground: Ground) -> Application:
    """Connections with IP_BIND_ADDRESS_NO_PORT, on ports that an idle binder shared and left."""
    clients = ground.connect(20, port=OTHER_PORT, bind=(HERE, 0), setup=Setup(no_port=True))
    ground.close([ground.bind(ELSEWHERE, one.getsockname()[1]) for one in clients])
    return Application()


@situation
def reuse_application(ground: Ground) -> Application:
    """The application sets SO_REUSEADDR and SO_REUSEPORT itself: it gets no blocked port by that."""
    both = Setup(reuse_address=True, reuse_port=True)
    ground.connect(40, setup=both)
    for port in SOME:
        ground.bind(ELSEWHERE, port, both)
    return Application(setup=both)
