"""TIME_WAIT: held for a minute, unless connect() may recycle it."""

from shared.tcp import State
from tests.oracle.application import (
    CABLE,
    HERE,
    HERE_V6,
    LOOPBACK,
    ON_LO,
    ON_LO_TOO,
    OTHER_PORT,
    THERE_V6,
    Application,
    Setup,
    mapped,
)
from tests.oracle.catalogue import situation
from tests.oracle.ground import LOW, Ground

REUSE = "tcp_tw_reuse"
ALWAYS, NEVER, ON_LOOPBACK = 1, 0, 2
TIMESTAMPS = "tcp_timestamps"
SOME = range(LOW + 10, LOW + 30)
WITHIN_LO = Application(local=LOOPBACK, peer=LOOPBACK)


@situation
def tw_reuse_off(ground: Ground) -> Application:
    """40 old TIME_WAIT with tcp_tw_reuse=0: held."""
    ground.sysctl(REUSE, NEVER)
    ground.time_wait(40)
    ground.let_time_waits_age()
    return Application()


@situation
def tw_reuse_on_young(ground: Ground) -> Application:
    """40 TIME_WAIT with tcp_tw_reuse=1, younger than tcp_tw_reuse_delay: held."""
    ground.sysctl(REUSE, ALWAYS)
    ground.keep_time_waits_young()
    ground.time_wait(40)
    return Application()


@situation
def tw_reuse_on_old(ground: Ground) -> Application:
    """40 old TIME_WAIT with tcp_tw_reuse=1: lent again."""
    ground.sysctl(REUSE, ALWAYS)
    ground.time_wait(40)
    ground.let_time_waits_age()
    return Application()


@situation
def tw_reuse_on_young_and_old(ground: Ground) -> Application:
    """30 TIME_WAIT older than tcp_tw_reuse_delay, 20 younger."""
    ground.sysctl(REUSE, ALWAYS)
    ground.time_wait(30)
    ground.split_time_waits()
    ground.time_wait(20)
    return Application()


@situation
def tw_reuse_loopback_only_remote(ground: Ground) -> Application:
    """40 old TIME_WAIT to another host with tcp_tw_reuse=2, the default: held."""
    ground.sysctl(REUSE, ON_LOOPBACK)
    ground.time_wait(40)
    ground.let_time_waits_age()
    return Application()


@situation
def tw_reuse_loopback_only_loopback(ground: Ground) -> Application:
    """40 old TIME_WAIT over 127.0.0.1 with tcp_tw_reuse=2: lent again."""
    ground.sysctl(REUSE, ON_LOOPBACK)
    ground.time_wait(40, ground.listen(8080, LOOPBACK), LOOPBACK)
    ground.let_time_waits_age()
    return WITHIN_LO


@situation
def tw_reuse_loopback_only_young(ground: Ground) -> Application:
    """40 TIME_WAIT over 127.0.0.1 with tcp_tw_reuse=2, younger than tcp_tw_reuse_delay: held."""
    ground.sysctl(REUSE, ON_LOOPBACK)
    ground.keep_time_waits_young()
    ground.time_wait(40, ground.listen(8080, LOOPBACK), LOOPBACK)
    return WITHIN_LO


@situation
def tw_reuse_loopback_only_v6(ground: Ground) -> Application:
    """40 old TIME_WAIT over ::1 with tcp_tw_reuse=2: lent again."""
    ground.sysctl(REUSE, ON_LOOPBACK)
    ground.time_wait(40, ground.listen(8080, "::1"), "::1")
    ground.let_time_waits_age()
    return Application(local="::1", peer="::1")


@situation
def tw_reuse_loopback_only_mapped(ground: Ground) -> Application:
    """40 old TIME_WAIT over ::ffff:127.0.0.1 with tcp_tw_reuse=2: lent again."""
    ground.sysctl(REUSE, ON_LOOPBACK)
    ground.time_wait(40, ground.listen(8080, LOOPBACK), mapped(LOOPBACK))
    ground.let_time_waits_age()
    return WITHIN_LO


@situation
def tw_reuse_loopback_only_one_end(ground: Ground) -> Application:
    """40 old TIME_WAIT from 127.0.0.1 to another address of this host: loopback enough."""
    ground.sysctl(REUSE, ON_LOOPBACK)
    ground.time_wait(40, ground.listen(8080), ON_LO, bind=(LOOPBACK, 0), setup=Setup(no_port=True))
    ground.let_time_waits_age()
    return Application(local=LOOPBACK, peer=ON_LO, binds=True, setup=Setup(no_port=True))


@situation
def tw_reuse_loopback_only_other_addresses(ground: Ground) -> Application:
    """40 old TIME_WAIT between addresses of lo outside 127.0.0.0/8: no loopback to this rule, held."""
    ground.sysctl(REUSE, ON_LOOPBACK)
    without_port = Setup(no_port=True)
    ground.time_wait(40, ground.listen(8080), ON_LO_TOO, bind=(ON_LO, 0), setup=without_port)
    ground.let_time_waits_age()
    return Application(local=ON_LO, peer=ON_LO_TOO, binds=True, setup=without_port)


@situation
def tw_reuse_loopback_only_bound_to_lo(ground: Ground) -> Application:
    """The same, bound to the device lo: that makes it loopback, lent again."""
    ground.sysctl(REUSE, ON_LOOPBACK)
    on_lo = Setup(no_port=True, device="lo")
    ground.time_wait(40, ground.listen(8080), ON_LO_TOO, bind=(ON_LO, 0), setup=on_lo)
    ground.let_time_waits_age()
    return Application(local=ON_LO, peer=ON_LO_TOO, binds=True, setup=on_lo)


@situation
def tw_without_timestamps(ground: Ground) -> Application:
    """40 old TIME_WAIT with tcp_tw_reuse=1 and tcp_timestamps=0: held."""
    ground.sysctl(REUSE, ALWAYS)
    ground.sysctl(TIMESTAMPS, 0)
    ground.time_wait(40)
    ground.let_time_waits_age()
    return Application()


@situation
def tw_peer_without_timestamps(ground: Ground) -> Application:
    """The same, but it is the peer that uses no timestamps, which nothing shows here."""
    ground.sysctl(REUSE, ALWAYS)
    ground.sysctl_there(TIMESTAMPS, 0)
    ground.time_wait(40)
    ground.let_time_waits_age()
    return Application()


@situation
def tw_some_peers_without_timestamps(ground: Ground) -> Application:
    """25 old TIME_WAIT with timestamps and 15 without; nothing shows which."""
    ground.sysctl(REUSE, ALWAYS)
    ground.time_wait(25)
    ground.sysctl_there(TIMESTAMPS, 0)
    ground.time_wait(15)
    ground.let_time_waits_age()
    return Application()


@situation
def tw_timestamps_switched_off_since(ground: Ground) -> Application:
    """40 old TIME_WAIT that had timestamps; tcp_timestamps is 0 only since: lent again all the same."""
    ground.sysctl(REUSE, ALWAYS)
    ground.time_wait(40)
    ground.sysctl(TIMESTAMPS, 0)
    ground.let_time_waits_age()
    return Application()


@situation
def tw_timestamps_switched_on_since(ground: Ground) -> Application:
    """40 old TIME_WAIT from a time when tcp_timestamps was 0: held."""
    ground.sysctl(REUSE, ALWAYS)
    ground.sysctl(TIMESTAMPS, 0)
    ground.time_wait(40)
    ground.sysctl(TIMESTAMPS, 1)
    ground.let_time_waits_age()
    return Application()


@situation
def tw_v6(ground: Ground) -> Application:
    """40 old TIME_WAIT of an IPv6 pool with tcp_tw_reuse=1: lent again."""
    ground.sysctl(REUSE, ALWAYS)
    ground.time_wait(40, peer=THERE_V6)
    ground.let_time_waits_age()
    return Application(local=HERE_V6, peer=THERE_V6)


@situation
def tw_of_a_device(ground: Ground) -> Application:
    """40 TIME_WAIT of sockets bound to a device; the application is not: they do not meet."""
    ground.sysctl(REUSE, NEVER)
    ground.time_wait(40, setup=Setup(device=CABLE))
    return Application()


@situation
def tw_elsewhere(ground: Ground) -> Application:
    """40 TIME_WAIT of plain connections to another port: no effect."""
    ground.time_wait(40, ground.other_server)
    return Application()


@situation
def tw_explicit_elsewhere(ground: Ground) -> Application:
    """20 TIME_WAIT of sockets bound by number, to another port: blocked for everybody, and no dump says so."""
    for port in SOME:
        ground.time_wait(1, ground.other_server, bind=(HERE, port))
    return Application()


@situation
def tw_explicit_of_the_pool(ground: Ground) -> Application:
    """20 old TIME_WAIT of the pool, of sockets bound by number, with tcp_tw_reuse=1: blocked, so not recycled."""
    ground.sysctl(REUSE, ALWAYS)
    for port in SOME:
        ground.time_wait(1, bind=(HERE, port))
    ground.let_time_waits_age()
    return Application()


@situation
def tw_bind0_elsewhere(ground: Ground) -> Application:
    """30 TIME_WAIT of sockets that called bind(ip, 0), to another port."""
    ground.time_wait(30, ground.other_server, bind=(HERE, 0))
    return Application()


@situation
def tw_bind0_of_the_pool(ground: Ground) -> Application:
    """30 old TIME_WAIT of the pool, of sockets that called bind(ip, 0), with tcp_tw_reuse=1."""
    ground.sysctl(REUSE, ALWAYS)
    ground.time_wait(30, bind=(HERE, 0))
    ground.let_time_waits_age()
    return Application()


@situation
def tw_without_port_elsewhere(ground: Ground) -> Application:
    """30 TIME_WAIT of sockets with IP_BIND_ADDRESS_NO_PORT, to another port: no effect."""
    ground.time_wait(30, ground.other_server, bind=(HERE, 0), setup=Setup(no_port=True))
    return Application()


@situation
def tw_of_a_gone_server(ground: Ground) -> Application:
    """20 TIME_WAIT that servers of ours left on their own ports before they ended: blocked for their minute."""
    for port in SOME:
        server = ground.listen(port)
        clients = ground.connect_from_there(1, port)
        ground.close([*ground.accept(server, clients), *clients, server])
    ground.until(State.TIME_WAIT, 20)
    return Application()


@situation
def tw_of_a_living_server(ground: Ground) -> Application:
    """A server of ours with 40 TIME_WAIT on its port: one port."""
    server = ground.listen(LOW + 10)
    clients = ground.connect_from_there(40, LOW + 10)
    ground.close([*ground.accept(server, clients), *clients])
    ground.until(State.TIME_WAIT, 40)
    return Application()


@situation
def tw_overflow(ground: Ground) -> Application:
    """tcp_max_tw_buckets is 10: of 40 connections closed, 10 TIME_WAIT stay."""
    ground.sysctl("tcp_max_tw_buckets", 10)
    clients, ends = ground.pairs(40, ground.server)
    ground.close(clients)
    ground.close(ends)
    ground.until(State.TIME_WAIT, 10)
    ground.until(State.FIN_WAIT2, 0)
    return Application()


@situation
def tw_among_connections(ground: Ground) -> Application:
    """30 old TIME_WAIT with tcp_tw_reuse=1 among 60 living connections of the pool: some were recycled by them."""
    ground.sysctl(REUSE, ALWAYS)
    ground.time_wait(30)
    ground.let_time_waits_age()
    ground.connect(60)
    return Application()


@situation
def tw_on_poisoned_ports(ground: Ground) -> Application:
    """20 old TIME_WAIT of the pool with tcp_tw_reuse=1, on ports that idle binders hold too: blocked."""
    ground.sysctl(REUSE, ALWAYS)
    clients, ends = ground.pairs(20, ground.server)
    for one in clients:
        ground.bind("127.0.0.9", one.getsockname()[1])
    ground.close(clients)
    ground.close(ends)
    ground.until(State.TIME_WAIT, 20)
    ground.let_time_waits_age()
    return Application()


@situation
def tw_exhausted(ground: Ground) -> Application:
    """200 TIME_WAIT with tcp_tw_reuse=0: the pool has nothing left."""
    ground.sysctl(REUSE, NEVER)
    ground.time_wait(200)
    return Application()


@situation
def tw_exhausted_and_lent_again(ground: Ground) -> Application:
    """200 old TIME_WAIT with tcp_tw_reuse=1: the whole pool is free, and its ports at other ports too."""
    ground.sysctl(REUSE, ALWAYS)
    ground.time_wait(200)
    ground.connect(50, port=OTHER_PORT)
    ground.let_time_waits_age()
    return Application()
