"""Trying out what the running system lets this agent do: the facts behind `doctor`. The edge.

Everything is tried rather than concluded from a version or a capability: a container, a user namespace or a seccomp
filter may take away what those promise. Nothing stays: sockets are closed, no packet is sent.
"""

import itertools
import socket
import sys
from pathlib import Path

from agent import sysctl
from agent.doctor import WANTED, Facts
from agent.exact import shows_idle_binds
from agent.netlink.errors import DumpError
from agent.netlink.records import sockets
from agent.netlink.request import both_families, local_port_in
from agent.netlink.sock_diag import SockDiag
from agent.netns import Atlas, travelling
from agent.perf.errors import WatchUnavailable
from agent.perf.watcher import FailureWatcher
from agent.probe import ProbeUnavailable, probe
from shared import clock
from shared.ports import PortRange
from shared.tcp import State, state_mask

PROC = Path("/proc")
_BITS = {
    "CAP_DAC_READ_SEARCH": 2,
    "CAP_NET_ADMIN": 12,
    "CAP_SYS_PTRACE": 19,
    "CAP_SYS_ADMIN": 21,
    "CAP_PERFMON": 38,
}
"""linux/capability.h"""
_FIRST_PID_NAMESPACE, _FIRST_USER_NAMESPACE = 0xEFFF_FFFC, 0xEFFF_FFFD
"""Inodes of the kernel's first ones, fixed since Linux 3.8 (include/linux/proc_ns.h)."""


def examine() -> Facts:
    """Everything `doctor` judges. Raises SamplingFailed where not even the sysctls can be read."""
    atlas = Atlas()
    places = travelling(lambda: list(atlas.tour(clock.monotonic_s())))
    settings = sysctl.read_port_settings()
    refused, idle_binds, cgroups = _lists(settings.port_range)
    return Facts(
        held=capabilities((PROC / "self" / "status").read_text()),
        in_user_namespace=_inode("user") != _FIRST_USER_NAMESPACE,
        in_pid_namespace=_inode("pid") != _FIRST_PID_NAMESPACE,
        interpreter=str(Path(sys.executable).resolve()),
        list_refused=refused,
        probe_refused=_probe_refused(settings.port_range),
        failures_refused=_failures_refused(),
        shows_idle_binds=idle_binds,
        tells_cgroups=cgroups,
        closed_processes=_closed_processes(),
        namespaces=[place.name for place in places],
        unreadable=atlas.unreadable,
        settings=settings,
        unprivileged_port_start=_unprivileged_port_start(),
    )


def capabilities(status: str) -> frozenset[str]:
    """Those of WANTED that are effective, by the text of /proc/PID/status."""
    lines = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
    bits = int(lines.get("CapEff", "0"), 16)
    return frozenset(name for name in WANTED if bits >> _BITS[name] & 1)


def _lists(port_range: PortRange) -> tuple[str, bool, bool]:
    """(why there is no list of sockets, whether it has idle binds, whether it tells control groups)."""
    try:
        with SockDiag() as diag:
            return "", shows_idle_binds(diag), _tells_cgroups(diag, port_range)
    except DumpError as error:
        return str(error), False, False


def _tells_cgroups(diag: SockDiag, port_range: PortRange) -> bool:
    """Opens a socket of our own and looks it up; true where that is not possible, for then nothing speaks against."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as own:
        try:
            own.bind(("127.0.0.1", 0))
            own.listen(1)
        except OSError:
            return True
        request = both_families(state_mask(State.LISTEN), local_port_in([port_range]))
        found = [one for buffer in diag.dump(request) for one in sockets(buffer)]
        mine = [one for one in found if one.local_port == own.getsockname()[1]]
        return all(one.cgroup_id is not None for one in mine)


def _probe_refused(port_range: PortRange) -> str:
    try:
        probe([port_range.low])
    except ProbeUnavailable as error:
        return str(error)
    return ""


def _failures_refused() -> str:
    try:
        FailureWatcher.start().close()
    except WatchUnavailable as error:
        return str(error)
    return ""


def _closed_processes() -> int:
    """Processes whose open files we may not see; listing them is one right, reading where they lead another."""
    closed = 0
    for process in PROC.iterdir():
        if process.name.isdigit():
            try:
                for file in itertools.islice((process / "fd").iterdir(), 1):
                    file.readlink()
            except PermissionError:
                closed += 1
            except OSError:
                continue  # It ended, or closed the file.
    return closed


def _unprivileged_port_start() -> int:
    try:
        return int((sysctl.IPV4 / "ip_unprivileged_port_start").read_text())
    except (OSError, ValueError):
        return 1024  # Before 4.11 that was fixed.


def _inode(kind: str) -> int:
    return (PROC / "self" / "ns" / kind).stat().st_ino
