"""What people call a control group: the unit, container or pod that its path names. Pure.

A path is the kernel's, from the root of the hierarchy as we see it: `/system.slice/haproxy.service`. Conventions:
systemd.slice(5), systemd.special(7), and the cgroup drivers of Docker, Podman, CRI-O, containerd, Kubernetes and LXC.
"""

import re
from typing import NamedTuple

CONTAINER_ID_CHARS = 12
"""As much of a container's id as `docker ps` and `crictl ps` show."""
_POD = re.compile(
    r"(?:[\w-]*kubepods(?:-\w+)?-)?pod([0-9a-f]{8}(?:[-_][0-9a-f]{4}){3}[-_][0-9a-f]{12}|[0-9a-f]{32})(?:\.slice)?\Z"
)
_SCOPE = re.compile(r"([a-z][a-z-]*?)-(?:conmon-)?([0-9a-f]{64})(?:\.scope)?\Z")
_BARE_ID = re.compile(r"[0-9a-f]{64}\Z")
_LXC = re.compile(r"lxc\.payload\.(.+)\Z")
_MACHINE = re.compile(r"(?:machine-(.+)\.scope|systemd-nspawn@(.+)\.service)\Z")
_USER_SLICE = re.compile(r"user-(\d+)\.slice\Z")
_USER_MANAGER = re.compile(r"user@(\d+)\.service\Z")
_UNIT = re.compile(r".+\.(?:service|scope)\Z")
_ENGINES = {"libpod": "podman", "cri-containerd": "containerd", "crio": "cri-o"}
_BARE_PARENTS = ("docker", "containerd")
"""Control groups whose children are called by the container's id alone."""
_ESCAPE = re.compile(r"\\x([0-9a-f]{2})")
_OCTAL = re.compile(r"\\([0-7]{3})")


class Mount(NamedTuple):
    """Where a cgroup2 hierarchy can be read, and which part of it is shown there."""

    point: str
    root: str


class Group(NamedTuple):
    """What the path of a control group tells; empty where it does not."""

    unit: str = ""
    """The outermost systemd unit, or the one inside the container."""
    service: str = ""
    """The innermost service, a user's own manager left aside."""
    engine: str = ""
    """Who runs the container: `docker`, `podman`, `containerd`, `cri-o`, `lxc`, `machine`; `container` if unknown."""
    container: str = ""
    pod: str = ""
    user: str = ""


def group_of(path: str) -> Group:
    """Read a path, segment by segment; what a container runs inside it counts as the container's."""
    found = Group()
    parent = ""
    for segment in path.replace(":cri-containerd:", "/cri-containerd-").split("/"):
        found = _with_segment(found, segment, parent)
        parent = segment
    return found


def _with_segment(found: Group, segment: str, parent: str) -> Group:
    if named := _POD.match(segment):
        return found._replace(pod=named.group(1).replace("_", "-"), engine="", container="", unit="")
    if container := _container(segment, parent):
        return found._replace(engine=container[0], container=container[1], unit="")
    if named := _USER_SLICE.match(segment) or _USER_MANAGER.match(segment):
        return found._replace(user=named.group(1))
    if not _UNIT.match(segment):
        return found
    service = _unescaped(segment) if segment.endswith(".service") else found.service
    return found._replace(unit=found.unit or _unescaped(segment), service=service)


def owner_name(path: str) -> str:
    """`haproxy.service`, `docker 0123456789ab`, `pod 0f3c…, container 0123456789ab`, `job.scope of user 1000`.

    A unit inside a container is told with it. The root gives "": it belongs to nobody. A path of no known shape is its
    own name.
    """
    group = group_of(path)
    place = f"{group.engine} {group.container}" if group.container else ""
    if group.pod:
        place = f"pod {group.pod}, container {group.container}" if group.container else f"pod {group.pod}"
    return _told(group.unit, place, group.user) or (path.strip("/") and _unescaped(path))


def place_name(proc_cgroup: str) -> str:
    """What a network namespace is called by the /proc/PID/cgroup of a process; "" for a session or the root.

    `pod-0f3c…`, `docker-0123456789ab`, `lxc-web`, `haproxy.service`. A pod shares one network namespace among its
    containers, so the pod comes first.
    """
    groups = [group_of(line.split(":", 2)[-1]) for line in proc_cgroup.splitlines()]
    pods = [f"pod-{group.pod}" for group in groups if group.pod]
    engines = {"containerd": "cri", "cri-o": "cri"}
    boxes = [f"{engines.get(group.engine, group.engine)}-{group.container}" for group in groups if group.container]
    services = [group.service for group in groups if group.service]
    return next(iter([*pods, *boxes, *services[-1:]]), "")


def _told(unit: str, place: str, user: str) -> str:
    name = f"{unit} in {place}" if unit and place else unit or place
    if not user:
        return name
    return f"{name} of user {user}" if name else f"user {user}"


def _container(segment: str, parent: str) -> tuple[str, str] | None:
    """(engine, name) where the segment is a container's."""
    if found := _SCOPE.match(segment):
        engine, identity = found.groups()
        return _ENGINES.get(engine, engine), identity[:CONTAINER_ID_CHARS]
    if _BARE_ID.match(segment):
        return (parent if parent in _BARE_PARENTS else "container"), segment[:CONTAINER_ID_CHARS]
    if found := _LXC.match(segment):
        return "lxc", found.group(1)
    if parent == "lxc" and segment:
        return "lxc", segment
    if found := _MACHINE.match(segment):
        return "machine", _unescaped(found.group(1) or found.group(2))
    return None


def _unescaped(name: str) -> str:
    r"""Systemd writes `\x2d` for a dash that is part of a name (systemd-escape(1))."""
    return _ESCAPE.sub(lambda found: chr(int(found.group(1), 16)), name)


def process_path(proc_cgroup: str) -> str:
    """The most telling path in /proc/PID/cgroup: of cgroup2, else of systemd's own v1 tree, else the longest of v1.

    On a host with v1 controllers the unified tree may hold nothing but its root (hybrid), or be missing.
    """
    paths: dict[str, str] = {}
    for line in proc_cgroup.splitlines():
        _number, _colon, rest = line.partition(":")
        controllers, colon, path = rest.partition(":")
        if colon:
            paths[controllers] = path
    told = [paths.get("", "/"), paths.get("name=systemd", "/"), max(paths.values(), key=len, default="/")]
    return next((path for path in told if path != "/"), "/")


def cgroup2_mounts(mountinfo: str) -> list[Mount]:
    """Where /proc/self/mountinfo has cgroup2 mounted (proc_pid_mountinfo(5)), those that show the most first."""
    found = []
    for line in mountinfo.splitlines():
        before, dash, after = line.partition(" - ")
        fields = before.split(" ")
        if dash and after.split(" ")[0] == "cgroup2" and len(fields) > 4:  # noqa: PLR2004 - the fifth is the mount point
            found.append(Mount(_from_octal(fields[4]), _from_octal(fields[3])))
    return sorted(found, key=lambda mount: len(mount.root))


def _from_octal(text: str) -> str:
    r"""The kernel writes space, tab, newline and backslash as `\040` and so on."""
    return _OCTAL.sub(lambda found: chr(int(found.group(1), 8)), text)
