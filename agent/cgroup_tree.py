"""From a control group's id to its path, by walking cgroup2's directories. The edge.

The id that sock_diag tells is the inode number of the group's directory. A walk needs no privilege, one directory read
a group and no stat (readdir tells inode numbers); open_by_handle_at(2) would go straight there, but needs
CAP_DAC_READ_SEARCH of the whole host, which an agent that only counts does not have otherwise.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from agent.cgroups import Mount, cgroup2_mounts

MOUNTINFO = Path("/proc/self/mountinfo")
MOST_GROUPS = 20_000
WALK_EVERY_S = 30.0
"""An id that the last walk did not find is waited for so long: its group may lie outside what we can see."""


@dataclass(slots=True)
class CgroupTree:
    """Ids and paths as the last walk found them."""

    mountinfo: Path = MOUNTINFO
    _paths: dict[int, str] = field(default_factory=dict)
    _walked_at_s: float = -1e9

    def path_of(self, cgroup_id: int | None, now_s: float) -> str:
        """`/system.slice/haproxy.service`; "" where it is not known. May walk the tree. `now_s` is monotonic."""
        if cgroup_id is None:
            return ""
        if cgroup_id not in self._paths and now_s - self._walked_at_s >= WALK_EVERY_S:
            self._walked_at_s = now_s
            self._paths = dict(self._walk())
        return self._paths.get(cgroup_id, "")

    def processes_in(self, path: str) -> list[int]:
        """The processes of the group at `path` itself, as our /proc numbers them; none where they cannot be read."""
        mount = self._mount()
        if mount is None or not path:
            return []
        try:
            text = Path(_below(mount, path), "cgroup.procs").read_text()
        except OSError:
            return []
        return [int(line) for line in text.split() if line != "0"]  # 0: outside our pid namespace.

    def _mount(self) -> Mount | None:
        try:
            return next(iter(cgroup2_mounts(self.mountinfo.read_text())), None)
        except OSError:
            return None

    def _walk(self) -> Iterator[tuple[int, str]]:
        mount = self._mount()
        if mount is None:
            return
        try:
            yield Path(mount.point).stat().st_ino, mount.root
        except OSError:
            return
        waiting = [mount.root]
        left = MOST_GROUPS
        while waiting and left:
            path = waiting.pop()
            for inode, name in _children(_below(mount, path)):
                child = f"{path.rstrip('/')}/{name}"
                yield inode, child
                waiting.append(child)
                left = max(0, left - 1)


def _below(mount: Mount, path: str) -> str:
    """The directory of the group at `path`, of which the mount shows the part below its root."""
    shown = path.removeprefix(mount.root.rstrip("/")) if mount.root != "/" else path
    return f"{mount.point.rstrip('/')}/{shown.lstrip('/')}"


def _children(directory: str) -> list[tuple[int, str]]:
    """Subdirectories as (inode, name); none where the group has gone or is not ours to read."""
    try:
        with os.scandir(directory) as entries:
            return [(entry.inode(), entry.name) for entry in entries if entry.is_dir(follow_symlinks=False)]
    except OSError:
        return []
