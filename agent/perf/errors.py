"""What can keep us from watching the kernel's tracepoints, each with its facts and how to grant what is missing."""

import errno
import os

from shared.errors import PortgaugeError


class WatchUnavailable(PortgaugeError):
    """connect() failures cannot be watched here: said once, never fatal. The message says what to grant."""


class TracefsUnavailable(WatchUnavailable):
    """The tracepoint's number and layout cannot be read."""

    def __init__(self, why: str) -> None:
        super().__init__(
            f"connect() failures cannot be watched: tracefs is not readable ({why}); grant CAP_SYS_ADMIN to the agent, "
            "or `mount -t tracefs nodev /sys/kernel/tracing` and let the agent read it"
        )


class PerfRefused(WatchUnavailable):
    """perf_event_open(2) or the calls around it failed."""

    def __init__(self, code: int) -> None:
        name = errno.errorcode.get(code, str(code))
        grant = "; grant CAP_PERFMON (before kernel 5.8: CAP_SYS_ADMIN)" if code in (errno.EPERM, errno.EACCES) else ""
        super().__init__(f"connect() failures cannot be watched: perf events: {os.strerror(code)} ({name}){grant}")
        self.code = code


class UnknownLayout(WatchUnavailable):
    """The tracepoint does not have the fields that we read."""

    def __init__(self, what: str) -> None:
        super().__init__(f"connect() failures cannot be watched: this kernel's tracepoint has no {what}")


class PerfMalformed(PortgaugeError):
    """The ring holds what no kernel writes: what is left of it must not be used."""

    def __init__(self, at: int, length: int, available: int) -> None:
        super().__init__(f"a perf record at byte {at} claims {length} bytes where {available} are left")
        self.at, self.length, self.available = at, length, available
