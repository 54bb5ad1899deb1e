"""What can go wrong with a dump, each with its facts."""

import errno
import os

from shared.errors import PortgaugeError


class DumpError(PortgaugeError):
    """The kernel's list of sockets could not be read to its end: what was read must not be used."""


class DumpRefused(DumpError):
    """The kernel answered with an error."""

    def __init__(self, code: int) -> None:
        name = errno.errorcode.get(code, str(code))
        super().__init__(f"the kernel refused to list sockets: {os.strerror(code)} ({name})")
        self.code = code


class DumpTruncated(DumpError):
    """A message is longer than what arrived, or a record shorter than its kind allows."""

    def __init__(self, at: int, length: int, available: int) -> None:
        super().__init__(f"a netlink message at byte {at} claims {length} bytes where {available} arrived")
        self.at, self.length, self.available = at, length, available


class DumpInterrupted(DumpError):
    """The list changed under the dump (NLM_F_DUMP_INTR), or its end never came."""

    def __init__(self, why: str) -> None:
        super().__init__(f"the list of sockets was interrupted: {why}")
