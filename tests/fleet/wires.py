"""The network: a switch, load balancers and the collector's machine, each in a namespace, on one bridge.

Nothing has a name that could stay behind: the kernel frees a namespace, and the cables in it, with its last process.
"""

import functools
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from tests.netns import Netns, fresh_netns

NETWORK = "10.78"
"""Load balancers are 10.78.0.1 and on; what is beyond them is in 10.78.255.0/24."""
PREFIX = 16
BRIDGE = "br0"
BACKENDS = (f"{NETWORK}.255.11", f"{NETWORK}.255.12")
BACKEND_PORT = 9000
COLLECTOR = f"{NETWORK}.255.2"
LOW, HIGH = 40_000, 40_099
"""The ports each load balancer lends."""


def address_of(number: int) -> str:
    """Of the load balancer of this number, from 1."""
    return f"{NETWORK}.{number // 250}.{number % 250}"


class Switch:
    """The bridge, in a namespace where backends and clients live too."""

    def __init__(self, netns: Netns) -> None:
        """Make the bridge. Raises CalledProcessError where the kernel has none."""
        self.netns = netns
        self._ports = 0
        netns.check_output(["ip", "link", "add", BRIDGE, "type", "bridge"], stderr=subprocess.PIPE)
        for address in BACKENDS:
            netns.check_output(["ip", "address", "add", f"{address}/{PREFIX}", "dev", BRIDGE])
        netns.check_output(["ip", "link", "set", BRIDGE, "up"])

    def plug_in(self, netns: Netns, address: str) -> str:
        """A cable from the namespace to the bridge; answers the name of its port there."""
        self._ports += 1
        port = f"port{self._ports}"
        peer = ["peer", "name", port, "netns", str(self.netns.thread_id)]
        netns.check_output(["ip", "link", "add", "uplink", "type", "veth", *peer])
        netns.check_output(["ip", "address", "add", f"{address}/{PREFIX}", "dev", "uplink"])
        netns.check_output(["ip", "link", "set", "uplink", "up"])
        self.netns.check_output(["ip", "link", "set", port, "master", BRIDGE, "up"])
        return port

    def turn(self, port: str, to: str) -> None:
        """A port of the bridge `up` or `down`: whoever is behind it hears and says nothing."""
        self.netns.check_output(["ip", "link", "set", port, to])


@contextmanager
def switched() -> Iterator[Switch]:
    """A switch for as long as the block is open."""
    with fresh_netns() as netns:
        yield Switch(netns)


@functools.cache
def why_none() -> str | None:
    """Why no switch can be had here, as one line; None where it can."""
    try:
        with ExitStack() as stack:
            stack.enter_context(switched())
    except OSError as error:
        return f"no network namespaces here ({error.strerror}): run as root"
    except subprocess.CalledProcessError as error:
        return f"this kernel has no bridge: {error.stderr.strip()}"
    return None


def listener(netns: Netns, address: str, port: int) -> socket.socket:
    """A listening socket of that namespace, for whoever is given it."""
    return netns.run(functools.partial(socket.create_server, (address, port), backlog=4_096))
