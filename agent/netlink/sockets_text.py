"""Where there is no netlink for us: the kernel's lists of sockets as text. The edge."""

import socket
from collections.abc import Iterator
from pathlib import Path

from agent.netlink.bytecode import wanted
from agent.netlink.errors import DumpRefused
from agent.netlink.proc_net import done, records, table_name
from agent.netlink.sock_diag import SockDiag

NET = Path("/proc/thread-self/net")
_PROTOCOLS = {socket.IPPROTO_TCP: "tcp", socket.IPPROTO_UDP: "udp"}


class SocketsText(SockDiag):
    """Answers what SockDiag answers from /proc/net, for the network namespace of the calling thread."""

    def __init__(self, refused: DumpRefused) -> None:
        """`refused` is why sock_diag is not used."""
        self.loss = (
            f"counted from /proc/net/tcp, because {refused}: bound ports show only as far as probes find "
            "them, owners and devices not at all, so there may be more ports left (see: portgauge-agent doctor)"
        )

    def close(self) -> None:
        """Nothing stays open between two questions."""

    def dump(self, request: bytes) -> Iterator[memoryview]:
        """The answer to one request, as one buffer. Raises DumpRefused where there is no text either."""
        asked = wanted(request)
        answer = bytearray()
        for family in asked.families:
            table = NET / table_name(_PROTOCOLS[asked.protocol], family)
            try:
                with table.open() as lines:
                    answer += b"".join(records(lines, family, asked))
            except FileNotFoundError:
                continue  # A kernel without this family or protocol has no such sockets.
            except OSError as error:
                raise DumpRefused(error.errno or 0) from error
        yield memoryview(bytes(answer + done()))
