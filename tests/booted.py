"""A real systemd as first process of namespaces of its own, to start our units under: sandbox, seccomp and all.

It sees a copy of /etc with our users in it, and a /run, /var/lib and /opt of its own; the checkout stands for what is
installed in /opt/portgauge. Nothing of it reaches the machine, and killing its first process ends it all.
"""

import contextlib
import functools
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
SYSTEMD = Path("/lib/systemd/systemd")
CGROUPS = (Path("/sys/fs/cgroup/unified"), Path("/sys/fs/cgroup"))
STUBS = ("sysinit", "basic", "shutdown", "network-online", "multi-user", "umount", "trial")
PATIENCE_S = 60.0
NAMESPACES = ("unshare", "--mount", "--pid", "--fork", "--cgroup", "--uts", "--ipc", "--kill-child")
_BOOT = """
set -e
mount --make-rprivate /
mount -t proc proc /proc
umount -l /sys/fs/cgroup 2>/dev/null || true
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mountpoint -q /sys/kernel/tracing || mount -t tracefs tracefs /sys/kernel/tracing 2>/dev/null || true
mkdir -p "$PLACE/etc" "$PLACE/work"
mount -t tmpfs tmpfs "$PLACE/work" && mkdir "$PLACE/work/upper" "$PLACE/work/work"
mount -t overlay -o "lowerdir=/etc,upperdir=$PLACE/work/upper,workdir=$PLACE/work/work" overlay /etc
systemd-sysusers "$ROOT/packaging/systemd/portgauge.sysusers.conf"
mkdir -p /etc/portgauge && cp -a "$PLACE/portgauge/." /etc/portgauge/
chgrp portgauge-agent /etc/portgauge/* && chmod 640 /etc/portgauge/*
test ! -e /etc/portgauge/collector.toml || chgrp portgauge-collector /etc/portgauge/collector.toml
mount -t tmpfs -o mode=755 tmpfs /opt && mkdir -p /opt/portgauge/bin /opt/portgauge/code /opt/portgauge/python
mount --bind "$ROOT" /opt/portgauge/code
mount --bind "$PREFIX" /opt/portgauge/python
for name in agent collector; do
    libraries=/opt/portgauge/python/lib
    printf '#!/bin/sh\\nexec env LD_LIBRARY_PATH=%s PYTHONPATH=%s %s -m %s "$@"\\n' \\
        "$libraries" "$PYTHONPATH" "$PYTHON" "$name" > "/opt/portgauge/bin/portgauge-$name"
    chmod 755 "/opt/portgauge/bin/portgauge-$name"
done
mount -t tmpfs -o mode=755 tmpfs /var/lib
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/systemd
exec env -i container=portgauge "PATH=$PATH" "SYSTEMD_UNIT_PATH=$PLACE/units:/etc/systemd/system" \\
    SYSTEMD_LOG_TARGET=console SYSTEMD_LOG_LEVEL=info "$SYSTEMD" --system --unit=trial.target
"""


@dataclass(slots=True)
class Booted:
    """A running systemd."""

    pid: int
    log: Path

    def systemctl(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self.inside("systemctl", *arguments)

    def inside(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run something beside its services; root there."""
        entering = ["nsenter", "--target", str(self.pid), "--mount", "--pid"]
        return subprocess.run([*entering, *command], capture_output=True, text=True, timeout=PATIENCE_S, check=False)

    def property(self, unit: str, name: str) -> str:
        return self.systemctl("show", "--value", "--property", name, unit).stdout.strip()

    def output(self) -> str:
        """What its services said."""
        said = self.path("/run/output")
        return said.read_text() if said.exists() else ""

    def path(self, inside: str) -> Path:
        """A file of it, as we reach it."""
        return Path(f"/proc/{self.pid}/root{inside}")


@functools.cache
def why_not_booting() -> str | None:
    """Why no systemd can be started here, as one line for a person; None where it can."""
    if os.geteuid() != 0 or Path("/proc/self/uid_map").read_text().split() != ["0", "0", "4294967295"]:
        return "a systemd of our own takes real root"
    if not SYSTEMD.exists() or not shutil.which("systemctl"):
        return "no systemd here: apt-get install systemd"
    if not _cgroups():
        return "no writable cgroup2 here for a systemd of our own"
    trial = subprocess.run([*NAMESPACES, "true"], capture_output=True, text=True, check=False)
    if trial.returncode:
        return f"no namespaces here for a systemd of our own: {trial.stderr.strip()}"
    return None


def _cgroups() -> Path | None:
    return next((one for one in CGROUPS if (one / "cgroup.procs").exists() and os.access(one, os.W_OK)), None)


@contextlib.contextmanager
def booted(place: Path, units: Sequence[Path], files: dict[str, str]) -> Iterator[Booted]:
    """Start one that knows these units, and those in its own /etc; a *.conf is a drop-in of the unit before it.

    `files` go to /etc/portgauge. What services say goes to /run/output.
    """
    (place / "units").mkdir()
    (place / "portgauge").mkdir()
    for name in STUBS:
        (place / "units" / f"{name}.target").write_text("[Unit]\nDefaultDependencies=no\n")
    _install(units, place / "units")
    for name, content in files.items():
        (place / "portgauge" / name).write_text(content)
    base = _cgroups()
    assert base is not None
    group = base / f"portgauge-{os.getpid()}-{time.monotonic_ns()}"
    group.mkdir()
    log = place / "systemd.log"
    code = "/opt/portgauge/code"
    packages = next(path for path in sys.path if path.endswith("site-packages"))
    environment = {
        "PATH": os.environ["PATH"],
        "PLACE": str(place),
        "ROOT": str(ROOT),
        "PREFIX": sys.base_prefix,
        "PYTHON": f"/opt/portgauge/python/bin/python3.{sys.version_info.minor}",
        "PYTHONPATH": f"{code}:{packages.replace(str(ROOT), code)}",
        "SYSTEMD": str(SYSTEMD),
    }
    with log.open("wb") as out:
        process = subprocess.Popen(
            ["sh", "-c", f'echo $$ > "$0/cgroup.procs"; exec {" ".join(NAMESPACES)} sh -c "$1"', str(group), _BOOT],
            env=environment, stdout=out, stderr=out, stdin=subprocess.DEVNULL,
        )  # fmt: skip
    try:
        yield Booted(_first_process(process, log), log)
    finally:
        process.kill()
        process.wait()
        _remove(group)


def _install(units: Sequence[Path], place: Path) -> None:
    drop_ins = place
    for unit in units:
        if unit.suffix == ".service":
            shutil.copy(unit, place)
            drop_ins = place / f"{unit.name}.d"
            drop_ins.mkdir()
            said = "append:/run/output"  # There is no journal.
            (drop_ins / "output.conf").write_text(f"[Service]\nStandardOutput={said}\nStandardError={said}\n")
        else:
            shutil.copy(unit, drop_ins)


def _first_process(unshare: "subprocess.Popen[bytes]", log: Path) -> int:
    """The pid of systemd, once it answers."""
    deadline_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline_s and unshare.poll() is None:
        children = Path(f"/proc/{unshare.pid}/task/{unshare.pid}/children").read_text().split()
        if children and Path(f"/proc/{children[0]}/root/run/systemd/private").exists():
            return int(children[0])
        time.sleep(0.05)
    raise AssertionError(log.read_text())


def _remove(group: Path) -> None:
    """Once the last process in it is gone, which may take a moment."""
    deadline_s = time.monotonic() + PATIENCE_S
    while group.exists() and time.monotonic() < deadline_s:
        for inner in sorted((path for path in group.rglob("*") if path.is_dir()), reverse=True):
            with contextlib.suppress(OSError):
                inner.rmdir()
        with contextlib.suppress(OSError):
            group.rmdir()
        time.sleep(0.05)
