"""What the kernel shows of its sockets in /proc/thread-self/net: a witness that shares no code with the agent."""

import socket
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from shared.tcp import State

NET = Path("/proc/thread-self/net")


class Row(NamedTuple):
    """One socket, its addresses as the kernel writes them: an IPv4-mapped one stays IPv6."""

    local: str
    local_port: int
    peer: str
    peer_port: int
    state: State


def rows(protocol: str) -> Iterator[Row]:
    """The sockets of the thread's network namespace; `protocol` is `tcp` or `udp`, of both families."""
    for table in (protocol, f"{protocol}6"):
        for line in (NET / table).read_text().splitlines()[1:]:
            yield parsed(line)


def parsed(line: str) -> Row:
    """One line of such a table."""
    _number, local, peer, state, *_rest = line.split()
    return Row(*_endpoint(local), *_endpoint(peer), State(int(state, 16)))


def _endpoint(text: str) -> tuple[str, int]:
    """`0100007F:1F90`: the address word by word in the byte order of the machine."""
    address, port = text.split(":")
    words = [int(address[at : at + 8], 16) for at in range(0, len(address), 8)]
    packed = struct.pack(f"={len(words)}I", *words)
    return socket.inet_ntop(socket.AF_INET if len(words) == 1 else socket.AF_INET6, packed), int(port, 16)
