"""The ground a situation is built on: a host with 200 ports to lend, its peer, and a cable between them.

Everything a situation does, it does as the host, in the thread that lives there; the peer serves ports 8080 and 8081 on
all its addresses. Sockets stay open until the ground is cleared.
"""

import ctypes
import errno
import socket
import struct
import subprocess
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from shared.tcp import State
from tests.netns import Netns, fresh_netns
from tests.oracle.application import (
    CABLE,
    HERE,
    HERE_LINK,
    HERE_TOO,
    HERE_V6,
    NOBODY,
    ON_LO,
    ON_LO_TOO,
    OTHER_PORT,
    PLAIN,
    PORT,
    THERE,
    THERE_LINK,
    THERE_TOO,
    THERE_V6,
    Setup,
    Skip,
    family_of,
    folded,
)
from tests.oracle.proc_net import rows

LOW, HIGH = 40_000, 40_199
_LIBC = ctypes.CDLL(None, use_errno=True)
SYSCTLS = Path("/proc/sys/net/ipv4")
REUSE_DELAY = "tcp_tw_reuse_delay"
BACKLOG = 4_096
PATIENCE_S = 20.0
"""Generous: under emulation, on a busy machine, a FIN may take its time."""
POLL_S = 0.01
SURELY_OLD_S = 2.2
"""Before tcp_tw_reuse_delay (6.14) a TIME_WAIT's age is compared in whole seconds; this is old by any reading."""
NOWHERE = "02:00:00:00:00:99"
"""A link address that no device has: what is sent to it is lost without a word."""

HERE_LINES = f"""
link add {CABLE} type veth peer name {CABLE} netns {{there}}
link set {CABLE} addrgenmode none
link set {CABLE} up
address add {HERE}/24 dev {CABLE}
address add {HERE_TOO}/24 dev {CABLE}
address add {HERE_V6}/64 dev {CABLE} nodad
address add {HERE_LINK}/64 dev {CABLE} nodad
address add {ON_LO}/32 dev lo
address add {ON_LO_TOO}/32 dev lo
neighbour add {NOBODY} lladdr {NOWHERE} nud permanent dev {CABLE}
"""
THERE_LINES = f"""
link set {CABLE} addrgenmode none
link set {CABLE} up
address add {THERE}/24 dev {CABLE}
address add {THERE_TOO}/24 dev {CABLE}
address add {THERE_V6}/64 dev {CABLE} nodad
address add {THERE_LINK}/64 dev {CABLE} nodad
"""


class Ground:
    """The host, as the situations know it. Its methods belong to the thread that lives there."""

    def __init__(self, there: Netns) -> None:
        """Lay the cable and let the peer serve."""
        self._there = there
        self._kept: list[socket.socket] = []
        self.ip(HERE_LINES.format(there=there.thread_id))
        self.ip_there(THERE_LINES)
        # On a busy machine the peer repeats a FIN, is answered twice, and resets: that must end no TIME_WAIT of ours.
        self.sysctl("tcp_rfc1337", 1)
        self.lend(LOW, HIGH)
        self.server, self.other_server = self.listen_there(PORT), self.listen_there(OTHER_PORT)

    def sysctl(self, name: str, value: object) -> None:
        """Write a sysctl of net/ipv4."""
        (SYSCTLS / name).write_text(str(value))

    def sysctl_there(self, name: str, value: object) -> None:
        """Write one of the peer's."""
        self._there.run(self.sysctl, name, value)

    def lend(self, low: int, high: int) -> None:
        """Set ip_local_port_range."""
        self.sysctl("ip_local_port_range", f"{low} {high}")

    def ip(self, *lines: str) -> None:
        """Let `ip` do some things; its process starts in the namespace of the thread that asks."""
        command = ["ip", "-batch", "-"]
        subprocess.run(command, input="\n".join(lines), text=True, check=True, timeout=PATIENCE_S, capture_output=True)

    def ip_there(self, *lines: str) -> None:
        """Let `ip` do some things on the peer's side."""
        self._there.run(self.ip, *lines)

    def lose_what_we_send(self) -> None:
        """From now on nothing that we send to the peer arrives; what it sends still does."""
        self.ip(f"neighbour replace {THERE} lladdr {NOWHERE} nud permanent dev {CABLE}")

    def open(self, family: socket.AddressFamily, setup: Setup = PLAIN) -> socket.socket:
        """A socket, kept open."""
        made = setup.open(family)
        made.settimeout(PATIENCE_S)
        self._kept.append(made)
        return made

    def bind(self, address: str, port: int = 0, setup: Setup = PLAIN) -> socket.socket:
        """A socket that binds and goes no further."""
        made = self.open(family_of(address), setup)
        made.bind((address, port))
        return made

    def listen(self, port: int, address: str = "0.0.0.0", setup: Setup = PLAIN) -> socket.socket:
        """A listener, as servers open theirs: with SO_REUSEADDR."""
        made = self.open(family_of(address), setup)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((address, port))
        made.listen(BACKLOG)
        return made

    def listen_there(self, port: int, setup: Setup = PLAIN) -> socket.socket:
        """A listener of the peer, on all its addresses of both families."""
        return self._there.run(self.listen, port, "::", setup)

    def connect_from_there(
        self, count: int, port: int, *, bind: tuple[str, int] | None = None, setup: Setup = PLAIN, wait: bool = True
    ) -> list[socket.socket]:
        """As many connections of the peer's to `port` of ours."""
        return self._there.run(self.connect, count, HERE, port, bind=bind, setup=setup, wait=wait)

    def connect(
        self,
        count: int,
        peer: str = THERE,
        port: int = PORT,
        *,
        bind: tuple[str, int] | None = None,
        setup: Setup = PLAIN,
        wait: bool = True,
    ) -> list[socket.socket]:
        """Make so many connections; `wait=False` leaves them in the middle of it."""
        return [self._connect((peer, port), bind, setup, wait=wait) for _ in range(count)]

    def _connect(
        self, peer: tuple[str, int], bind: tuple[str, int] | None, setup: Setup, *, wait: bool
    ) -> socket.socket:
        made = self.open(family_of(peer[0]), setup)
        if bind:
            made.bind(bind)
        made.settimeout(PATIENCE_S if wait else 0)
        if wait:
            made.connect(_sockaddr(peer))
        elif (code := made.connect_ex(_sockaddr(peer))) not in (0, errno.EINPROGRESS):
            raise OSError(code, errno.errorcode[code])
        return made

    def pairs(
        self,
        count: int,
        server: socket.socket,
        peer: str = THERE,
        *,
        bind: tuple[str, int] | None = None,
        setup: Setup = PLAIN,
    ) -> tuple[list[socket.socket], list[socket.socket]]:
        """As many connections to `server`, and its ends of them."""
        clients = self.connect(count, peer, server.getsockname()[1], bind=bind, setup=setup)
        return clients, self.accept(server, clients)

    def accept(self, server: socket.socket, clients: Sequence[socket.socket]) -> list[socket.socket]:
        """The server's ends of these connections, in no order; others that it accepts meanwhile stay open too."""
        wanted = {_name(client.getsockname()) for client in clients}
        ends = []
        while wanted:
            end, remote = server.accept()
            self._kept.append(end)
            if _name(remote) in wanted:
                wanted.remove(_name(remote))
                ends.append(end)
        return ends

    def time_wait(
        self,
        count: int,
        server: socket.socket | None = None,
        peer: str = THERE,
        *,
        bind: tuple[str, int] | None = None,
        setup: Setup = PLAIN,
    ) -> None:
        """So many connections, to our peer's server unless told otherwise, closed by us first."""
        clients, ends = self.pairs(count, server or self.server, peer, bind=bind, setup=setup)
        already = count_in(State.TIME_WAIT)  # Not before: connects may recycle.
        self.close(clients)
        for end in ends:
            end.settimeout(PATIENCE_S)
            end.recv(1)  # Until it knows: were both to close at once, both would be in TIME_WAIT.
        self.close(ends)
        self.until(State.TIME_WAIT, already + count)

    def let_time_waits_age(self) -> None:
        """Every TIME_WAIT there is becomes old enough to be recycled."""
        if (SYSCTLS / REUSE_DELAY).exists():
            self.sysctl(REUSE_DELAY, 1)
            time.sleep(0.05)
        else:
            time.sleep(SURELY_OLD_S)

    def split_time_waits(self) -> None:
        """Those there are become old enough to be recycled; those to come will not, while the situation lasts."""
        if not (SYSCTLS / REUSE_DELAY).exists():
            raise Skip(f"no {REUSE_DELAY} on this kernel")
        self.sysctl(REUSE_DELAY, 2_000)
        time.sleep(2.05)

    def keep_time_waits_young(self) -> None:
        """No TIME_WAIT will be old enough to be recycled."""
        if not (SYSCTLS / REUSE_DELAY).exists():
            raise Skip(f"no {REUSE_DELAY} on this kernel")
        self.sysctl(REUSE_DELAY, 30_000)

    def close(self, sockets: Iterable[socket.socket]) -> None:
        """Close them."""
        for one in sockets:
            one.close()

    def reset(self, sockets: Iterable[socket.socket]) -> None:
        """Close them with a RST."""
        for one in sockets:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            one.close()

    def dissolve(self, one: socket.socket) -> None:
        """Take the peer away from a socket: connect() to no family at all, which Python's own connect cannot say."""
        nowhere = struct.pack("=H14x", socket.AF_UNSPEC)
        if _LIBC.connect(one.fileno(), nowhere, len(nowhere)):
            code = ctypes.get_errno()
            raise OSError(code, errno.errorcode[code])

    def until(self, state: State, count: int) -> None:
        """Wait until so many of our TCP sockets are in that state."""
        give_up_s = time.monotonic() + PATIENCE_S
        while (seen := count_in(state)) != count:
            if time.monotonic() > give_up_s:
                states = Counter(row.state.name for row in rows("tcp"))
                raise TimeoutError(f"{seen} sockets in {state.name}, waited for {count}: {dict(states)}")
            time.sleep(POLL_S)

    def clear(self) -> None:
        """Close every socket."""
        self.close(self._kept)
        self._kept.clear()


def _name(sockaddr: tuple[Any, ...]) -> tuple[str, int]:
    """Address and port, alike at both ends of a connection whose ends are of two families."""
    return folded(sockaddr[0]), sockaddr[1]


def _sockaddr(address: tuple[str, int]) -> tuple[str, int] | tuple[str, int, int, int]:
    """The same with the scope of a link-local one (`fe80::1%cable`) where connect() looks for it."""
    host, _, device = address[0].partition("%")
    return (host, address[1], 0, socket.if_nametoindex(device)) if device else address


def count_in(state: State) -> int:
    """How many TCP sockets the kernel shows in that state."""
    return sum(row.state == state for row in rows("tcp"))


@contextmanager
def fresh_ground() -> Iterator[tuple[Netns, Ground]]:
    """A host and its peer for as long as the block is open: the host's namespace, and what can be done there."""
    with fresh_netns() as here, fresh_netns() as there:
        ground = here.run(Ground, there)
        try:
            yield here, ground
        finally:
            here.run(ground.clear)
