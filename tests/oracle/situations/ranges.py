"""What may be lent at all: the range, its ends, its parity, and what is reserved of it."""

from tests.oracle.application import HERE, Application, Setup
from tests.oracle.catalogue import situation
from tests.oracle.ground import HIGH, LOW, Ground

RESERVED = "ip_local_reserved_ports"


@situation
def empty(ground: Ground) -> Application:
    """Nothing is used; both ends of the range count."""
    del ground
    return Application()


@situation
def odd_range(ground: Ground) -> Application:
    """A range of odd size: each scan leaves out one port."""
    ground.lend(LOW, HIGH + 1)
    return Application()


@situation
def odd_range_both_ends_taken(ground: Ground) -> Application:
    """A range of odd size whose first and last port are listened on: nothing is left to lose."""
    ground.lend(LOW, HIGH + 1)
    ground.listen(LOW)
    ground.listen(HIGH + 1)
    return Application()


@situation
def odd_range_one_end_taken(ground: Ground) -> Application:
    """A range of odd size whose last port is listened on; the first one may be out of reach."""
    ground.lend(LOW, HIGH + 1)
    ground.listen(HIGH + 1)
    return Application()


@situation
def odd_range_exhausted(ground: Ground) -> Application:
    """A range of odd size of which all but the ends are held."""
    ground.lend(LOW + 1, HIGH - 1)
    ground.connect(198)
    ground.lend(LOW, HIGH + 1)
    return Application()


@situation
def range_of_one(ground: Ground) -> Application:
    """A range of one port."""
    ground.lend(LOW, LOW)
    return Application()


@situation
def range_of_one_taken(ground: Ground) -> Application:
    """A range of one port, and it is held."""
    ground.lend(LOW, LOW)
    ground.connect(1)
    return Application()


@situation
def range_of_two(ground: Ground) -> Application:
    """A range of two ports."""
    ground.lend(LOW, LOW + 1)
    return Application()


@situation
def range_of_three(ground: Ground) -> Application:
    """A range of three ports, of which a scan sees two."""
    ground.lend(LOW, LOW + 2)
    return Application()


@situation
def odd_start(ground: Ground) -> Application:
    """A range that starts at an odd port; its size is even, so nothing is lost."""
    ground.lend(LOW + 1, HIGH + 1)
    ground.connect(30)
    return Application()


@situation
def range_below_1024(ground: Ground) -> Application:
    """A range among the privileged ports, which connect() does not care about."""
    ground.sysctl("ip_unprivileged_port_start", 0)
    ground.lend(900, 1_099)
    ground.connect(30)
    return Application()


@situation
def range_at_the_top(ground: Ground) -> Application:
    """A range that ends at the last port there is."""
    ground.lend(65_436, 65_535)
    ground.connect(30)
    return Application()


@situation
def range_of_everything_reserved_but_some(ground: Ground) -> Application:
    """A range of all ports, 1 to 65535, of which all but 100 are reserved."""
    ground.sysctl("ip_unprivileged_port_start", 0)
    ground.lend(1, 65_535)
    ground.sysctl(RESERVED, "1-40099,40200-65535")
    ground.connect(10)
    return Application()


@situation
def range_moved(ground: Ground) -> Application:
    """The range was moved by 100 ports while 120 of the old ones are held."""
    ground.connect(120)
    ground.lend(LOW + 100, HIGH + 100)
    return Application()


@situation
def reserved(ground: Ground) -> Application:
    """20 ports of the range are reserved, and some outside."""
    ground.sysctl(RESERVED, "39990-40009,40100-40109,50000")
    return Application()


@situation
def reserved_all(ground: Ground) -> Application:
    """The whole range is reserved."""
    ground.sysctl(RESERVED, f"{LOW}-{HIGH}")
    return Application()


@situation
def reserved_while_held(ground: Ground) -> Application:
    """50 ports are reserved while some of them are held: they count once."""
    ground.connect(60)
    ground.sysctl(RESERVED, f"{LOW}-{LOW + 49}")
    return Application()


@situation
def reserved_and_listened_on(ground: Ground) -> Application:
    """10 ports are reserved for the very listeners that use them: they count once."""
    ground.sysctl(RESERVED, f"{LOW + 10}-{LOW + 19}")
    for port in range(LOW + 10, LOW + 20):
        ground.listen(port)
    return Application()


@situation
def reserved_in_odd_range(ground: Ground) -> Application:
    """A range of odd size with its first port reserved: the scan may only leave out the last."""
    ground.lend(LOW, HIGH + 1)
    ground.sysctl(RESERVED, LOW)
    return Application()


@situation
def reserved_long_list(ground: Ground) -> Application:
    """A list of 2,020 reserved ports, longer than one page of /proc; the last 20 are of the range."""
    few = [*range(20_000, 24_000, 2), *range(LOW + 101, LOW + 141, 2)]
    ground.sysctl(RESERVED, ",".join(map(str, few)))
    return Application()


@situation
def just_outside(ground: Ground) -> Application:
    """Listeners on the ports beside the range, and connections from ports below it, cost nothing."""
    ground.listen(LOW - 1)
    ground.listen(HIGH + 1)
    for port in range(30_000, 30_020):
        ground.connect(1, bind=(HERE, port))
    return Application()


@situation
def port_in_range_there(ground: Ground) -> Application:
    """The peer serves a port that lies inside our range: irrelevant."""
    ground.listen_there(LOW + 100)
    ground.connect(30, port=LOW + 100)
    return Application(port=LOW + 100)


@situation
def other_namespace(ground: Ground) -> Application:
    """30 listeners in another network namespace, on ports of the same range: no effect."""
    for port in range(LOW + 10, LOW + 40):
        ground.listen_there(port)
    return Application()


@situation
def self_connect(ground: Ground) -> Application:
    """The port to connect to is of the range, on this host, and nobody listens: connect() may meet itself there."""
    del ground
    return Application(local="127.0.0.1", peer="127.0.0.1", port=LOW + 100, setup=Setup(repair=True))


@situation
def self_connect_listened_on(ground: Ground) -> Application:
    """The port to connect to is of the range and served on this host: that port is not lent."""
    ground.listen(LOW + 100)
    return Application(local="127.0.0.1", peer="127.0.0.1", port=LOW + 100)
