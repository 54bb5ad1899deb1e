"""Opening the best list of sockets that this process gets. The edge."""

import os
from pathlib import Path

from agent.netlink import messages
from agent.netlink.errors import DumpRefused
from agent.netlink.request import both_families
from agent.netlink.sock_diag import SockDiag

TEXT = Path("/proc/thread-self/net/tcp")


def open_sockets() -> SockDiag:
    """Netlink, or the kernel's text where that is refused. Raises DumpRefused where there is neither.

    A filter (seccomp) refuses the netlink socket; a kernel without the module tcp_diag refuses the question.
    """
    try:
        diag = SockDiag()
    except DumpRefused as refused:
        return _text(refused)
    try:
        for buffer in diag.dump(both_families(0)):
            list(messages.records(buffer))
    except DumpRefused as refused:
        diag.close()
        return _text(refused)
    return diag


def _text(refused: DumpRefused) -> SockDiag:
    if not os.access(TEXT, os.R_OK):
        raise refused
    # Seldom needed, and what it imports would take a tenth of a command's start.
    from agent.netlink.sockets_text import SocketsText  # noqa: PLC0415

    return SocketsText(refused)
