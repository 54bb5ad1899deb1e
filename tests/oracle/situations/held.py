"""Ports that the pool holds: a socket of exactly its addresses, in whatever state."""

import socket

from shared.tcp import State
from tests.oracle.application import (
    CABLE,
    HERE,
    HERE_TOO,
    LOOPBACK,
    MPTCP,
    NOBODY,
    OTHER_PORT,
    THERE_TOO,
    Application,
    Setup,
)
from tests.oracle.catalogue import situation
from tests.oracle.ground import LOW, Ground


@situation
def estab_50(ground: Ground) -> Application:
    """50 plain connections of the pool."""
    ground.connect(50)
    return Application()


@situation
def exhausted(ground: Ground) -> Application:
    """The pool holds every port."""
    ground.connect(200)
    return Application()


@situation
def other_port_there(ground: Ground) -> Application:
    """80 connections to another port of the same peer share our ports."""
    ground.connect(80, port=OTHER_PORT)
    return Application()


@situation
def other_peer(ground: Ground) -> Application:
    """80 connections to another address of the peer share our ports."""
    ground.connect(80, THERE_TOO)
    return Application()


@situation
def other_local(ground: Ground) -> Application:
    """80 connections from another local address that took no port by bind()."""
    ground.connect(80, bind=(HERE_TOO, 0), setup=Setup(no_port=True))
    return Application()


@situation
def from_other_local(ground: Ground) -> Application:
    """The application names its source address and takes no port; 40 of that pool, 80 of the default one."""
    ground.connect(80)
    ground.connect(40, bind=(HERE_TOO, 0), setup=Setup(no_port=True))
    return Application(local=HERE_TOO, binds=True, setup=Setup(no_port=True))


@situation
def both_ends_here(ground: Ground) -> Application:
    """40 connections over loopback; the server's ends are sockets of this host as well."""
    server = ground.listen(8080, LOOPBACK)
    ground.pairs(40, server, LOOPBACK)
    return Application(local=LOOPBACK, peer=LOOPBACK)


@situation
def syn_sent(ground: Ground) -> Application:
    """30 SYN_SENT to a black hole."""
    ground.connect(30, NOBODY, wait=False)
    ground.until(State.SYN_SENT, 30)
    return Application(peer=NOBODY)


@situation
def syn_sent_to_loopback(ground: Ground) -> Application:
    """30 SYN_SENT to a local server whose accept queue is full."""
    ground.listen(8080, LOOPBACK).listen(0)
    ground.connect(1, LOOPBACK)
    ground.connect(30, LOOPBACK, wait=False)
    ground.until(State.SYN_SENT, 30)
    return Application(local=LOOPBACK, peer=LOOPBACK)


@situation
def syn_recv(ground: Ground) -> Application:
    """30 half-open connections from the pool's peer and port to listeners of ours in range: 30 ports, blocked."""
    ground.ip_there(f"address add {NOBODY}/32 dev {CABLE}")
    for port in range(LOW + 10, LOW + 40):
        ground.listen(port)
        ground.connect_from_there(1, port, bind=(NOBODY, 8090), setup=Setup(reuse_address=True), wait=False)
    ground.until(State.SYN_RECV, 30)
    return Application(peer=NOBODY, port=8090)


@situation
def finwait1(ground: Ground) -> Application:
    """30 orphaned FIN_WAIT1: closed, and the peer does not hear of it."""
    clients = ground.connect(30)
    ground.lose_what_we_send()
    ground.close(clients)
    ground.until(State.FIN_WAIT1, 30)
    return Application()


@situation
def finwait2_owned(ground: Ground) -> Application:
    """30 FIN_WAIT2 that their application still holds, after shutdown()."""
    for client in ground.connect(30):
        client.shutdown(socket.SHUT_WR)
    ground.until(State.FIN_WAIT2, 30)
    return Application()


@situation
def finwait2_orphans(ground: Ground) -> Application:
    """30 orphaned FIN_WAIT2, which the kernel keeps like TIME_WAIT and recycles never, though it recycles those."""
    ground.sysctl("tcp_tw_reuse", 1)
    ground.close(ground.connect(30))
    ground.until(State.FIN_WAIT2, 30)
    ground.let_time_waits_age()
    return Application()


@situation
def finwait2_orphans_with_a_longer_timeout(ground: Ground) -> Application:
    """30 orphaned FIN_WAIT2 with tcp_fin_timeout above a minute: full sockets yet."""
    ground.sysctl("tcp_fin_timeout", 120)
    ground.close(ground.connect(30))
    ground.until(State.FIN_WAIT2, 30)
    return Application()


@situation
def close_wait(ground: Ground) -> Application:
    """30 CLOSE_WAIT: the peer closed, we did not."""
    _clients, ends = ground.pairs(30, ground.server)
    ground.close(ends)
    ground.until(State.CLOSE_WAIT, 30)
    return Application()


@situation
def last_ack(ground: Ground) -> Application:
    """30 orphaned LAST_ACK: the peer closed, we closed, and it does not hear of it."""
    clients, ends = ground.pairs(30, ground.server)
    ground.close(ends)
    ground.until(State.CLOSE_WAIT, 30)
    ground.lose_what_we_send()
    ground.close(clients)
    ground.until(State.LAST_ACK, 30)
    return Application()


@situation
def closing(ground: Ground) -> Application:
    """30 CLOSING: both closed at once, and the peer does not hear of it."""
    clients, ends = ground.pairs(30, ground.server)
    ground.lose_what_we_send()
    ground.close(clients)
    ground.close(ends)
    ground.until(State.CLOSING, 30)
    return Application()


@situation
def peer_closed_first(ground: Ground) -> Application:
    """30 connections that the peer closed first: their TIME_WAITs are the peer's, nothing is left here."""
    clients, ends = ground.pairs(30, ground.server)
    ground.close(ends)
    ground.until(State.CLOSE_WAIT, 30)
    ground.close(clients)
    ground.until(State.LAST_ACK, 0)
    return Application()


@situation
def linger0(ground: Ground) -> Application:
    """30 connections closed with a RST: nothing is left behind."""
    clients = ground.connect(40)
    ground.reset(clients[:30])
    ground.until(State.ESTABLISHED, 10)
    return Application()


@situation
def refused_open(ground: Ground) -> Application:
    """30 sockets whose connect was refused, still open: their port was given back."""
    for _ in range(30):
        assert ground.open(socket.AF_INET).connect_ex((THERE_TOO, 9))
    return Application()


@situation
def disconnected(ground: Ground) -> Application:
    """30 sockets that connected and dissolved the connection, still open: their port was given back."""
    for client in ground.connect(30):
        ground.dissolve(client)
    ground.until(State.ESTABLISHED, 0)
    return Application()


@situation
def reset_by_peer_open(ground: Ground) -> Application:
    """30 connections that the peer reset, still open here: their port was given back."""
    _clients, ends = ground.pairs(30, ground.server)
    ground.reset(ends)
    ground.until(State.ESTABLISHED, 0)
    return Application()


@situation
def fast_open_deferred(ground: Ground) -> Application:
    """30 connects deferred by TCP_FASTOPEN_CONNECT: nothing was sent, and the port is held."""
    ground.sysctl("tcp_fastopen", 5)  # 1: as a client; 4: without a cookie from an earlier connection.
    ground.connect(30, setup=Setup(deferred=True))
    ground.until(State.SYN_SENT, 30)
    return Application()


@situation
def mptcp_with_plain_peer(ground: Ground) -> Application:
    """30 MPTCP sockets that fell back to TCP."""
    ground.connect(30, setup=Setup(protocol=MPTCP))
    return Application()


@situation
def mptcp_on_both_sides(ground: Ground) -> Application:
    """30 MPTCP connections to an MPTCP server."""
    ground.listen_there(8082, Setup(protocol=MPTCP))
    ground.connect(30, port=8082, setup=Setup(protocol=MPTCP))
    return Application(port=8082)


@situation
def mptcp_application(ground: Ground) -> Application:
    """The application itself uses MPTCP sockets; 30 plain connections and 10 listeners exist."""
    for port in range(LOW + 10, LOW + 20):
        ground.listen(port)
    ground.connect(30)
    return Application(setup=Setup(protocol=MPTCP))


@situation
def reuse_without_bind(ground: Ground) -> Application:
    """40 connections to another port with SO_REUSEADDR and SO_REUSEPORT set, not bound: no difference."""
    ground.connect(40, port=OTHER_PORT, setup=Setup(reuse_address=True, reuse_port=True))
    return Application()


@situation
def every_state_at_once(ground: Ground) -> Application:
    """10 ESTABLISHED, 10 CLOSE_WAIT, 10 owned and 10 orphaned FIN_WAIT2, 10 young TIME_WAIT, all of the pool."""
    ground.sysctl("tcp_tw_reuse", 0)
    ground.time_wait(10)
    _clients, ends = ground.pairs(10, ground.server)
    ground.close(ends)
    for client in ground.connect(10):
        client.shutdown(socket.SHUT_WR)
    ground.close(ground.connect(10))
    ground.until(State.FIN_WAIT2, 20)
    ground.connect(10)
    return Application(local=HERE)
