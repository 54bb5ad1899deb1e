"""IP_LOCAL_PORT_RANGE: an application with a range of its own within the host's."""

from tests.oracle.application import ELSEWHERE, HERE, OTHER_PORT, Application, Setup
from tests.oracle.catalogue import situation
from tests.oracle.ground import HIGH, LOW, Ground

MIDDLE = Setup(own_range=(LOW + 50, LOW + 99))


def _with(low: int, high: int) -> Application:
    return Application(setup=Setup(own_range=(low, high)))


@situation
def own_range_partly_held(ground: Ground) -> Application:
    """Its range has 50 ports, 20 of which it holds."""
    ground.connect(20, setup=MIDDLE)
    return Application(setup=MIDDLE)


@situation
def own_range_odd(ground: Ground) -> Application:
    """Its range has an odd size: scanned port by port since 6.8, nothing is lost."""
    del ground
    return _with(LOW + 50, LOW + 100)


@situation
def own_range_odd_partly_held(ground: Ground) -> Application:
    """Its range has an odd size and its first port is held."""
    ground.connect(1, bind=(HERE, LOW + 50))
    return _with(LOW + 50, LOW + 100)


@situation
def own_range_of_others(ground: Ground) -> Application:
    """60 sockets of the pool, 40 of them from a range of their own; the application is plain."""
    ground.connect(40, setup=Setup(own_range=(HIGH - 49, HIGH)))
    ground.connect(20)
    return Application()


@situation
def own_range_low_end_outside(ground: Ground) -> Application:
    """Its low end lies below the host's range and is ignored."""
    ground.connect(10)
    return _with(LOW - 10_000, LOW + 49)


@situation
def own_range_high_end_outside(ground: Ground) -> Application:
    """Its high end lies above the host's range and is ignored."""
    ground.connect(10)
    return _with(HIGH - 49, HIGH + 10_000)


@situation
def own_range_both_ends_outside(ground: Ground) -> Application:
    """Both ends lie outside the host's range: that is what it gets."""
    ground.connect(10)
    return _with(LOW - 10_000, HIGH + 10_000)


@situation
def own_range_elsewhere(ground: Ground) -> Application:
    """Its range has no port of the host's: both ends are ignored."""
    ground.connect(10)
    return _with(HIGH + 100, HIGH + 200)


@situation
def own_range_in_odd_range(ground: Ground) -> Application:
    """Both ends outside a host's range of odd size: it sees every port of it (6.8), others do not."""
    ground.lend(LOW, HIGH + 1)
    return _with(LOW - 100, HIGH + 100)


@situation
def own_range_of_one(ground: Ground) -> Application:
    """Its range is one port."""
    del ground
    return _with(LOW + 7, LOW + 7)


@situation
def own_range_reserved(ground: Ground) -> Application:
    """Of its 50 ports 20 are reserved, and 10 listened on."""
    ground.sysctl("ip_local_reserved_ports", f"{LOW + 60}-{LOW + 79}")
    for port in range(LOW + 80, LOW + 90):
        ground.listen(port, ELSEWHERE)
    return Application(setup=MIDDLE)


@situation
def own_range_bind0(ground: Ground) -> Application:
    """30 sockets that called bind(ip, 0) in that range, connected elsewhere: blocked."""
    ground.connect(30, port=OTHER_PORT, bind=(HERE, 0), setup=MIDDLE)
    return Application(setup=MIDDLE)


@situation
def own_range_exhausted(ground: Ground) -> Application:
    """Its range is spent, the host's is not."""
    ground.connect(50, setup=MIDDLE)
    return Application(setup=MIDDLE)
