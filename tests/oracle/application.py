"""The application whose next connects are counted, and how it outfits its sockets."""

import socket
import struct
from dataclasses import dataclass

TCP_REPAIR = 19
TCP_FASTOPEN_CONNECT = 30
IP_BIND_ADDRESS_NO_PORT = 24
IP_LOCAL_PORT_RANGE = 51
MPTCP = 262

HERE, HERE_TOO = "10.77.0.1", "10.77.0.11"
"""Addresses of the host; the kernel picks the first where the application does not."""
THERE, THERE_TOO = "10.77.0.2", "10.77.0.3"
"""Addresses of its peer, which serves ports 8080 and 8081."""
NOBODY = "10.77.0.99"
"""An address that swallows what is sent to it."""
HERE_V6, THERE_V6 = "fd77::1", "fd77::2"
HERE_LINK, THERE_LINK = "fe80::77:1", "fe80::77:2"
ON_LO, ON_LO_TOO = "10.88.0.1", "10.88.0.2"
"""Addresses of the host that live on lo but are none of 127.0.0.0/8."""
LOOPBACK = "127.0.0.1"
ELSEWHERE = "127.0.0.9"
"""A local address that takes part in no connection of the pools asked for."""
CABLE = "cable"
PORT, OTHER_PORT = 8080, 8081


class Skip(Exception):
    """The situation cannot exist on this kernel; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """What an application asks of a socket before it binds or connects it."""

    udp: bool = False
    protocol: int = 0
    """0, or MPTCP."""
    reuse_address: bool = False
    reuse_port: bool = False
    no_port: bool = False
    """IP_BIND_ADDRESS_NO_PORT: bind(ip, 0) takes no port yet."""
    own_range: tuple[int, int] | None = None
    """IP_LOCAL_PORT_RANGE."""
    device: str | None = None
    """SO_BINDTODEVICE."""
    v6only: bool | None = None
    deferred: bool = False
    """TCP_FASTOPEN_CONNECT: connect() sends nothing until there is data."""
    repair: bool = False
    """TCP_REPAIR: connect() searches a port and sends nothing at all."""

    def open(self, family: socket.AddressFamily) -> socket.socket:
        """A socket so outfitted. Raises Skip where the kernel knows no such socket or option."""
        kind = socket.SOCK_DGRAM if self.udp else socket.SOCK_STREAM
        try:
            made = socket.socket(family, kind, self.protocol)
        except OSError as error:
            raise Skip(f"no such socket on this kernel: {error.strerror}") from error
        try:
            self._outfit(made)
        except OSError as error:
            made.close()
            raise Skip(f"a socket option is missing on this kernel: {error.strerror}") from error
        return made

    def _outfit(self, made: socket.socket) -> None:
        switches = {
            (socket.SOL_SOCKET, socket.SO_REUSEADDR): self.reuse_address,
            (socket.SOL_SOCKET, socket.SO_REUSEPORT): self.reuse_port,
            (socket.IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT): self.no_port,
            (socket.IPPROTO_TCP, TCP_FASTOPEN_CONNECT): self.deferred,
            (socket.IPPROTO_TCP, TCP_REPAIR): self.repair,
        }
        for (level, option), wanted in switches.items():
            if wanted:
                made.setsockopt(level, option, 1)
        if self.v6only is not None:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, self.v6only)
        if self.own_range:
            low, high = self.own_range
            made.setsockopt(socket.IPPROTO_IP, IP_LOCAL_PORT_RANGE, struct.pack("=I", low | high << 16))
        if self.device:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, self.device.encode())


PLAIN = Setup()
UDP = Setup(udp=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """Who goes on connecting: from where, to where, with which sockets."""

    local: str = HERE
    peer: str = THERE
    port: int = PORT
    setup: Setup = PLAIN
    binds: bool = False
    """It calls bind(local ip, 0) first, which takes a port unless its sockets have `no_port`."""
    mapped: bool = False
    """It reaches an IPv4 peer through an AF_INET6 socket."""

    @property
    def protocol(self) -> str:
        """`tcp` or `udp`."""
        return "udp" if self.setup.udp else "tcp"

    @property
    def options(self) -> list[str]:
        """What is special about it, as flags of `portgauge-agent explain`."""
        flags = ["--device", self.setup.device] if self.setup.device else []
        if self.setup.own_range:
            flags += ["--local-port-range", "{}-{}".format(*self.setup.own_range)]
        if self.binds and not self.setup.no_port:
            flags.append("--bind-first")
        return flags

    @property
    def arguments(self) -> list[str]:
        """The question to `portgauge-agent explain`."""
        peer = f"[{self.peer}]:{self.port}" if ":" in self.peer else f"{self.peer}:{self.port}"
        return ["--local", self.local, "--peer", peer, "--protocol", self.protocol, *self.options]


def family_of(address: str) -> socket.AddressFamily:
    """The family of the socket that takes this address as it is written."""
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def mapped(address: str) -> str:
    """An IPv4 address as AF_INET6 sockets know it."""
    return f"::ffff:{address}"


def folded(address: str) -> str:
    """The same address, an IPv4-mapped one as IPv4."""
    return address.removeprefix("::ffff:") if "." in address else address
