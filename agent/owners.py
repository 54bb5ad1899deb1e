"""Who holds the hot pools: control group and user from sock_diag, processes from /proc. The edge.

A large pool is not read whole. One dump over a slice of the range tells the claims on all hot pools of a namespace at
once: the kernel walks its table once, whatever the number of pools, and we read some thousand sockets instead of some
hundred thousand. Shares are then those of the slice.
"""

import random
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from agent.binders import may_have_bound
from agent.cgroup_tree import CgroupTree
from agent.cgroups import owner_name
from agent.netlink.records import Socket, sockets
from agent.netlink.request import both_families, local_port_in
from agent.netlink.sock_diag import SockDiag
from agent.ownership import Claim, Claims, Owner, Ownership, Process, largest_first
from agent.probe import ProbeUnavailable, probe
from agent.processes import Search, cgroup_of
from agent.tally import CONNECTED_STATES
from shared.model import Kind, Pool
from shared.ports import PortRange

SLICE_PORTS = 1_024
HIDDEN = "processes of other users are hidden: grant CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH"
PASSWD = Path("/etc/passwd")


def claims_on(diag: SockDiag, port_range: PortRange, pools: Collection[Pool]) -> dict[Pool, Claims]:
    """The claims on these pools of the thread's network namespace, in which `diag` was opened. Raises DumpError.

    Sockets in a state without a connection hold no port of a pool and are left out. Nothing in a list tells whether a
    socket is its port's binder, so the ports of those that may be are probed.
    """
    connecting = {(pool.local, pool.peer, pool.peer_port): pool for pool in pools if pool.kind is Kind.CONNECT}
    binding = {pool.local: pool for pool in pools if pool.kind is Kind.BIND}
    namespace = Path("/proc/thread-self/ns/net").stat().st_ino
    found = {pool: Claims(namespace) for pool in pools}
    suspects: list[Socket] = []
    for buffer in diag.dump(both_families(CONNECTED_STATES, local_port_in([slice_of(port_range)]))):
        for socket in sockets(buffer):
            pool = connecting.get((socket.local, socket.peer, socket.peer_port))
            if pool is not None:
                found[pool].add(socket)
            if socket.local in binding and may_have_bound(socket):
                suspects.append(socket)
    for socket in _binders_of(suspects):
        found[binding[socket.local]].add(socket)
    return found


def _binders_of(suspects: Sequence[Socket]) -> list[Socket]:
    """Those on ports that a probe finds blocked; none where nothing can be probed."""
    try:
        is_open = probe({socket.local_port for socket in suspects})
    except ProbeUnavailable:
        return []
    return [socket for socket in suspects if not is_open[socket.local_port]]


def owner_of(diag: SockDiag, port_range: PortRange, pool: Pool, now_s: float) -> str:
    """One pool's owner in a line, asked for now; "" where nobody could be told. As `claims_on` otherwise."""
    return OwnerFinder().find(claims_on(diag, port_range, [pool]), now_s)[pool].summary()


def slice_of(port_range: PortRange) -> PortRange:
    """SLICE_PORTS neighbouring ports somewhere in the range, or the whole of a smaller one.

    Somewhere: connect() begins its search at a place that depends on the destination.
    """
    spare = max(0, len(port_range) - SLICE_PORTS)
    low = port_range.low + random.randint(0, spare)  # noqa: S311 - a sample, not a secret
    return PortRange(low, low + len(port_range) - spare - 1)


@dataclass(slots=True)
class OwnerFinder:
    """Turns claims into owners with names and processes. Remembers the control groups' paths."""

    tree: CgroupTree = field(default_factory=CgroupTree)

    def find(self, claims: Mapping[Pool, Claims], now_s: float) -> dict[Pool, Ownership]:
        """The owners of each pool. One search through /proc for all of them. `now_s` is monotonic."""
        ids = {claim.cgroup_id for its in claims.values() for claim in its.counts}
        paths = {cgroup_id: self.tree.path_of(cgroup_id, now_s) for cgroup_id in ids}
        search = Search(
            {inode: (pool, claim) for pool, its in claims.items() for inode, claim in its.inodes.items()},
            namespaces={its.netns for its in claims.values()},
            uids={claim.uid for its in claims.values() for claim in its.counts if claim.uid is not None},
        )
        for path in sorted(filter(owner_name, paths.values())):
            search.among(self.tree.processes_in(path))
        if search.missing():
            search.everywhere()
        names = users()
        return {
            pool: Ownership(
                largest_first(
                    _owner(claim, count, paths[claim.cgroup_id], search.found.get((pool, claim), ()), names)
                    for claim, count in its.settled().items()
                ),
                its.unowned,
                HIDDEN if search.hidden and any((pool, claim) in search.missing() for claim in its.counts) else "",
            )
            for pool, its in claims.items()
        }


def _owner(claim: Claim, count: int, path: str, processes: Collection[Process], names: Mapping[int, str]) -> Owner:
    told = path if owner_name(path) else _path_by_process(processes) or path
    return Owner(
        name=owner_name(told),
        cgroup=told,
        uid=claim.uid,
        user="" if claim.uid is None else names.get(claim.uid, str(claim.uid)),
        processes=tuple(processes),
        sockets=count,
    )


def _path_by_process(processes: Collection[Process]) -> str:
    """The control group by the v1 hierarchies, where the socket's own id leads to none that tells."""
    return next((path for process in processes if (path := cgroup_of(process.pid)) != "/"), "")


def users(passwd: Path = PASSWD) -> dict[int, str]:
    """User names by uid, of the local file only.

    A directory server (getpwuid and NSS) would be asked over a connection, and this host may have no port left for it.
    """
    try:
        rows = [line.split(":") for line in passwd.read_text(errors="replace").splitlines()]
    except OSError:
        return {}
    return {int(row[2]): row[0] for row in reversed(rows) if len(row) > 2 and row[2].isdigit()}  # noqa: PLR2004 - name:x:uid
