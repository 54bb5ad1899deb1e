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
_ESCAPE = re.compile(r"\\x([0-9a-f]{2})")
_OCTAL = re.compile(r"\\([0-7]{3})")


class Mount(NamedTuple):
    """Where a cgroup2 hierarchy can be read, and which part of it is shown there."""

    point: str
    root: str


def owner_name(path: str) -> str:
    """`haproxy.service`, `docker 0123456789ab`, `pod 0f3c…, container 0123456789ab`, `job.scope of user 1000`.

    A unit inside a container is told with it. The root gives "": it belongs to nobody. A path of no known shape is its
    own name.
    """
    unit = container = pod = user = parent = ""
    for segment in path.replace(":cri-containerd:", "/cri-containerd-").split("/"):
        if found := _POD.match(segment):
            pod, container, unit = found.group(1).replace("_", "-"), "", ""
        elif named := _container(segment, parent):
            container, unit = named, ""
        elif found := _USER_SLICE.match(segment) or _USER_MANAGER.match(segment):
            user, unit = found.group(1), ""
        elif _UNIT.match(segment) and not unit:
            unit = _unescaped(segment)
        parent = segment
    return _told(unit, _place(pod, container), user) or (path.strip("/") and _unescaped(path))


def _told(unit: str, place: str, user: str) -> str:
    name = f"{unit} in {place}" if unit and place else unit or place
    if not user:
        return name
    return f"{name} of user {user}" if name else f"user {user}"


def _place(pod: str, container: str) -> str:
    if not pod:
        return container
    return f"pod {pod}, container {container.rpartition(' ')[2]}" if container else f"pod {pod}"


def _container(segment: str, parent: str) -> str:
    """`docker 0123456789ab` where the segment is a container's, else ""."""
    if found := _SCOPE.match(segment):
        engine, identity = found.groups()
        return f"{_ENGINES.get(engine, engine)} {identity[:CONTAINER_ID_CHARS]}"
    if _BARE_ID.match(segment):
        return f"{'docker' if parent == 'docker' else 'container'} {segment[:CONTAINER_ID_CHARS]}"
    if found := _LXC.match(segment):
        return f"lxc {found.group(1)}"
    if parent == "lxc" and segment:
        return f"lxc {segment}"
    if found := _MACHINE.match(segment):
        return f"machine {_unescaped(found.group(1) or found.group(2))}"
    return ""


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
